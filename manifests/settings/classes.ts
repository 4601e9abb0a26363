import type { Site, SiteClass } from '../schema.ts';

/** A class for laptops and tests: bursts to one core, no huge pages, small everything. */
export const smallClass: Site['classes'] = {
  'polar.o.x1.small': {
    displayName: '1c 512MB',
    cpu: { limit: 1, request: 0.1 },
    memory: { limit: 512, request: 256 },
    totalMemory: 512,
    parameters: { autovacuum_max_workers: '3', max_connections: '100' },
  },
};

/** Cores, then MiB: all, ordinary memory, buffers; then iops, connections, smallest volume (MiB). The original's numbers. */
type Size = readonly [
  cores: number,
  total: number,
  memory: number,
  buffers: number,
  iops: number,
  connections: number,
  storage: number,
];

const SIZES: Readonly<Record<string, Size>> = {
  'x4.medium': [2, 8192, 5120, 12_288, 16_000, 400, 204_800],
  'x4.large': [4, 16_384, 9030, 18_432, 64_000, 800, 204_800],
  'x4.xlarge': [8, 32_768, 16_468, 32_768, 128_000, 1600, 204_800],
  'x8.xlarge': [8, 65_536, 24_841, 61_440, 160_000, 3200, 327_680],
  'x8.2xlarge': [16, 131_072, 48_395, 119_808, 256_000, 6400, 512_000],
  'x8.4xlarge': [32, 262_144, 96_598, 233_472, 384_000, 12_800, 512_000],
  'x8.12xlarge': [88, 727_040, 204_800, 522_240, 512_000, 36_000, 512_000],
};
const MAX_STORAGE = 102_389_760;

/** Requests below the limits: only the largest class has them. */
const REQUESTS: Readonly<Record<string, { cpu: number; memory: number }>> = {
  'x8.12xlarge': { cpu: 66, memory: 92_160 },
};

/** pfsd-tool and manager (same size), pfsd, engine: `cpu/memory`; then the options of pfsd. */
const CONTAINERS: Readonly<Record<string, readonly [string, string, string, string]>> = {
  'x4.medium': ['200m/1Gi', '500m/1Gi', '1100m/2Gi', '-w 8 -s 20 -i 8192 -f'],
  'x4.large': ['200m/1Gi', '1000m/3Gi', '2600m/4Gi', '-w 16 -s 10 -i 16384 -f'],
  'x4.xlarge': ['200m/1Gi', '2400m/7Gi', '5200m/7Gi', '-w 32 -s 15 -i 32768 -f'],
  'x8.xlarge': ['200m/1Gi', '2400m/6Gi', '5200m/16Gi', '-w 32 -s 15 -i 65536 -f'],
  'x8.2xlarge': ['400m/1Gi', '4800m/16Gi', '10400m/30Gi', '-w 32 -s 10 -i 65536 -f'],
  'x8.4xlarge': ['400m/1Gi', '10000m/30Gi', '21200m/64Gi', '-w 48 -s 15 -i 131072 -f'],
  'x8.12xlarge': ['400m/2Gi', '27200m/50Gi', '60000m/150Gi', '-w 64 -s 15 -i 262144 -f'],
};

const COLUMNS = ['x4.medium', 'x4.large', 'x4.xlarge', 'x8.xlarge', 'x8.2xlarge', 'x8.4xlarge', 'x8.12xlarge'];

/** The original's parameters per class, in the order of COLUMNS; one value stands for all. */
const PARAMETERS: Readonly<Record<string, string>> = {
  autovacuum_max_workers: '5 5 5 5 8 8 8',
  autovacuum_work_mem: '200MB 400MB 800MB 1600MB 2GB 4GB 8GB',
  effective_cache_size: '6GB 12GB 24GB 48GB 96GB 192GB 465GB',
  maintenance_work_mem: '500MB 1GB 2GB 4GB 4GB 4GB 4GB',
  max_connections: '3300 3300 3300 3300 36100 36100 36100',
  max_parallel_maintenance_workers: '2 2 4 4 8 16 16',
  max_parallel_workers: '2 2 4 4 12 28 32',
  max_parallel_workers_per_gather: '2 2 4 4 12 24 24',
  max_sync_workers_per_subscription: '2 2 4 4 12 28 32',
  polar_logindex_bloom_blocks: '1024 1024 1536 3072 6144 12288 12288',
  polar_logindex_mem_size: '512MB 512MB 768MB 1536MB 3072MB 6144MB 6144MB',
  polar_parallel_new_bgwriter_threshold_lag: '500MB 500MB 750MB 1500MB 3GB 6GB 5GB',
  polar_xlog_page_buffers: '500MB 500MB 750MB 1500MB 3000MB 7250MB 7250MB',
  polar_xlog_queue_buffers: '512MB 512MB 768MB 1536MB 3072MB 6144MB 6144MB',
  shared_buffers: '6GB 12GB 24GB 48GB 96GB 192GB 465GB',
  wal_buffers: '16MB',
  work_mem: '4096 4096 8192 16384 32768 65536 65536',
};

function parametersOf(column: string): Record<string, string> {
  const at = COLUMNS.indexOf(column);
  return Object.fromEntries(
    Object.entries(PARAMETERS).map(([name, row]) => {
      const values = row.split(' ');
      return [name, values[at] ?? values[0]!];
    }),
  );
}

function containersOf(column: string): SiteClass['containers'] {
  const [side, pfsd, engine, config] = CONTAINERS[column]!;
  const amounts = (text: string) => {
    const [cpu, memory] = text.split('/') as [string, string];
    return { cpu, memory };
  };
  return {
    'pfsd-tool': amounts(side),
    pfsd: { ...amounts(pfsd), config },
    manager: amounts(side),
    engine: amounts(engine),
  };
}

function originalClass(column: string, exclusive: boolean): SiteClass {
  const [cores, total, memory, buffers, iops, connections, storage] = SIZES[column]!;
  const request = REQUESTS[column];
  const name = `${cores}c ${Math.round(total / 1024)}GB`;
  return {
    displayName: exclusive ? `${name} dedicated` : name,
    // The original gives its exclusive classes requests only.
    cpu: exclusive ? { request: request?.cpu ?? cores } : { limit: cores, request: request?.cpu },
    memory: exclusive ? { request: request?.memory ?? memory } : { limit: memory, request: request?.memory },
    bufferMemory: buffers,
    totalMemory: total,
    storage: { min: storage, max: MAX_STORAGE },
    iops,
    maxConnections: connections,
    containers: containersOf(column),
    parameters: parametersOf(column),
  };
}

const EXCLUSIVE = ['x8.2xlarge', 'x8.4xlarge', 'x8.12xlarge'];

/** The classes of the original by name. */
export const originalClasses: Site['classes'] = Object.fromEntries([
  ...COLUMNS.map(column => [`polar.o.${column}`, originalClass(column, false)]),
  ...EXCLUSIVE.map(column => [`polar.o.${column}.exclusive`, originalClass(column, true)]),
]) as Site['classes'];
