import { expect } from 'chai';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FactContent, FactEdit } from '../fact-map.ts';
import type { HostResult } from '../host/host-exec.ts';
import type { VolumesFact } from './fact.ts';
import { VolumesJob } from './job.ts';

const MULTIPATHS = JSON.stringify({
  maps: [
    {
      name: 'mpatha',
      path_groups: [
        {
          paths: [
            { dm_st: 'active', chk_st: 'ready' },
            { dm_st: 'failed', chk_st: 'faulty' },
          ],
        },
      ],
    },
  ],
});

describe('the job of the volumes', () => {
  const { signal } = new AbortController();
  let root: string;
  let content: FactContent | undefined;
  let writes: number;
  let fact: VolumesFact | undefined;
  let answer: HostResult;
  let asked: string[];
  let isAway: boolean;
  const jobOf = (): VolumesJob =>
    new VolumesJob({
      paths: { proc: join(root, 'proc'), sys: join(root, 'sys') },
      host: {
        run: ({ name }) => {
          asked.push(name);
          return Promise.resolve(answer);
        },
      },
      map: {
        write: (edit: FactEdit) => {
          if (isAway) return Promise.reject(new Error('the server is away'));
          const changed = edit(content, '2026-11-21T10:00:00Z');
          if (changed) writes++;
          content = changed ?? content;
          return Promise.resolve(changed !== undefined);
        },
      },
      facts: { publish: (_name, given) => (fact = given as VolumesFact) },
    });
  const file = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), `${text}\n`);
  };
  const disk = async (name: string, state = 'running', wwid = `naa.${name}`): Promise<void> => {
    await file(`sys/block/${name}/dev`, '8:16');
    await file(`sys/block/${name}/size`, '2097152');
    await file(`sys/block/${name}/ro`, '0');
    await file(`sys/block/${name}/device/state`, state);
    await file(`sys/block/${name}/device/wwid`, wwid);
  };
  const map = async (): Promise<void> => {
    await file('sys/block/dm-3/dev', '253:3');
    await file('sys/block/dm-3/size', '2097152');
    await file('sys/block/dm-3/dm/name', 'mpatha');
    await file('sys/block/dm-3/dm/uuid', 'mpath-3600a');
    for (const path of ['sdb', 'sdc']) await mkdir(join(root, 'sys/block/dm-3/slaves', path), { recursive: true });
    await disk('sdb');
    await disk('sdc');
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'host-'));
    content = fact = undefined;
    writes = 0;
    isAway = false;
    asked = [];
    answer = { kind: 'off', why: 'switched off by enableSsh' };
    await disk('sda');
    await file('sys/block/loop0/size', '8');
    const point = '/var/lib/kubelet/pods/1/volumes/kubernetes.io~csi/pv-1/mount';
    await file('proc/1/mountinfo', `8 9 253:3 / ${point} rw - ext4 /dev/mapper/mpatha rw`);
  });
  afterEach(() => rm(root, { recursive: true }));

  it('a host without multipath devices is not asked for any', async () => {
    expect((await jobOf().run(signal)).message).to.equal('1 devices, 1 volumes mounted');
    expect(asked).to.deep.equal([]);
    expect(content).to.deep.equal({
      data: {
        'device.sda': '{"kind":"disk","wwid":"naa.sda","sizeBytes":1073741824,"isReadOnly":false,"health":"healthy"}',
        'volume.pv-1': '{"fsType":"ext4","source":"/dev/mapper/mpatha","health":"unknown"}',
      },
      annotations: { updateTimestamp: '2026-11-21T10:00:00Z' },
    });
  });

  it('is written when something changes, and then alone', async () => {
    await jobOf().run(signal);
    await jobOf().run(signal);
    expect(writes).to.equal(1);
    await disk('sda', 'offline');
    expect((await jobOf().run(signal)).message).to.contain('sda failed');
    expect(writes).to.equal(2);
    await rm(join(root, 'sys/block/sda'), { recursive: true });
    await jobOf().run(signal);
    expect(Object.keys(content?.data ?? {})).to.deep.equal(['volume.pv-1']);
  });

  it('paths are as the multipath daemon says', async () => {
    await map();
    answer = { kind: 'exit', code: 0, stdout: MULTIPATHS, stderr: '' };
    expect((await jobOf().run(signal)).message).to.equal(
      '2 devices, 1 volumes mounted; mpatha degraded; pv-1 degraded',
    );
    expect(fact?.devices.map(({ name, paths }) => [name, paths])).to.deep.equal([
      ['mpatha', { total: 2, active: 1 }],
      ['sda', undefined],
    ]);
    expect(fact?.gaps).to.deep.equal([]);
  });

  for (const [what, given, why] of [
    ['switched off', { kind: 'off', why: 'switched off by enableSsh' }, 'switched off by enableSsh'],
    ['no connection', { kind: 'lost', cause: new Error('ECONNRESET') }, 'the connection is lost'],
    ['no answer', { kind: 'timeout', afterMs: 1 }, 'does not answer'],
    ['no such program', { kind: 'exit', code: 127, stdout: '', stderr: 'not found' }, 'exit code 127'],
    ['another answer', { kind: 'exit', code: 0, stdout: 'ok', stderr: '' }, 'cannot be read'],
  ] as const) {
    it(`${what}: the states of the disks count, and the gap is told`, async () => {
      await map();
      answer = given;
      await disk('sdc', 'offline');
      await jobOf().run(signal);
      expect(fact?.devices[0]).to.deep.include({ name: 'mpatha', health: 'degraded', paths: { total: 2, active: 1 } });
      expect(content?.data.gaps).to.contain(why);
    });
  }

  it('what cannot be read at all: what was published stays', async () => {
    await jobOf().run(signal);
    const before = content;
    await rm(join(root, 'sys'), { recursive: true });
    const error: unknown = await jobOf()
      .run(signal)
      .catch((reason: unknown) => reason);
    expect(String(error)).to.contain('ENOENT');
    expect(content).to.equal(before);
  });

  it('an API server that is away fails the job; the daemon itself knows all the same', async () => {
    isAway = true;
    const error: unknown = await jobOf()
      .run(signal)
      .catch((reason: unknown) => reason);
    expect(String(error)).to.contain('away');
    expect(fact?.devices).to.have.length(1);
    isAway = false;
    await jobOf().run(signal);
    expect(writes).to.equal(1);
  });

  it('reads this machine', async () => {
    const job = new VolumesJob({
      paths: { proc: '/proc', sys: '/sys' },
      host: { run: () => Promise.resolve(answer) },
      map: { write: () => Promise.resolve(true) },
      facts: { publish: (_name, given) => (fact = given as VolumesFact) },
    });
    await job.run(signal);
    expect(fact?.devices).to.be.an('array');
  });
});
