import * as z from 'zod';
import { parsePortRange } from '../operator/model/ports.ts';

const image = z.string().regex(/^[a-z0-9][\w./:@-]{0,254}$/i, 'write an image as registry/name:tag');
const namespace = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'write the name of a namespace');
const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi|Ti)?$/, 'write a quantity such as 500m or 512Mi');
const card = z.string().regex(/^[A-Za-z0-9][\w.@:-]{0,14}$/, 'write the name of a network card as "ip link" shows it');
const portRange = z.string().refine(isPortRange, 'write a port range as a-b, a+n, one port, or nothing');
const amounts = z.strictObject({ cpu: quantity, memory: quantity });
const resources = z.strictObject({ limits: amounts.partial(), requests: amounts });
const positive = z.int().min(1);
const part = z.strictObject({
  replicas: z.int().min(1).max(5),
  logLevel: z.enum(['error', 'warn', 'info', 'debug']),
  resources,
});
const folder = z
  .string()
  .regex(/^(\/[\w.-]+)+$/, 'write the absolute path of a folder')
  .refine(path => !path.split('/').includes('..'), 'write a path without ..');
const daemon = z.strictObject({
  /** Runs it on every node. Without it, hosts have no facts: the operator allocates ports by its own reservations alone. */
  enabled: z.boolean(),
  /** Folders of instances, `<folder>/<instance id>/{data,log}`, that the clean-up of logs looks after. */
  logDirectory: folder,
  /** What nothing needs goes after so many days. */
  overdueDays: positive.max(3650),
  /** Socket of the container runtime: containerd's, or `/run/crio/crio.sock`. */
  criSocket: folder,
  logLevel: part.shape.logLevel,
  resources,
});
const parameterValues = z.record(
  z.string().regex(/^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?$/, 'write the name of a parameter'),
  z.string(),
);

function isPortRange(text: string): boolean {
  try {
    return text.split(',').every(part => part === '' || parsePortRange(part) !== undefined);
  } catch {
    return false;
  }
}

const instanceClass = z.strictObject({
  /** Shown to people, `2c 8GB`. */
  displayName: z.string().min(1),
  /** Cores; limit or request may be left out, then one counts for both. */
  cpu: z.strictObject({ limit: z.number().positive(), request: z.number().positive() }).partial(),
  /** MiB of ordinary memory; as for `cpu`. */
  memory: z.strictObject({ limit: positive, request: positive }).partial(),
  /** MiB for the engine's buffers: huge pages when switched on, else ordinary memory on top of `memory`. */
  bufferMemory: positive.multipleOf(2).optional(),
  /** Does this class use huge pages? Absent: as `hugePages` of the site says. */
  hugePages: z.boolean().optional(),
  /** MiB that the class stands for as a whole; for people. */
  totalMemory: positive,
  /** MiB a volume must and may have. */
  storage: z.strictObject({ min: positive, max: positive }).optional(),
  iops: positive.optional(),
  maxConnections: positive.optional(),
  /** Containers beside the engine of a PFS site: cores, memory, options. */
  containers: z
    .record(z.string(), z.strictObject({ cpu: quantity, memory: quantity, config: z.string().optional() }))
    .optional(),
  parameters: parameterValues,
});

const version = z.strictObject({
  engine: z.enum(['polardb', 'postgresql']),
  engineImage: image,
  /** User and group of the engine's processes; absent: what the image says (it must be a number there). */
  runAs: z.strictObject({ user: positive, group: positive }).optional(),
  /** Other images of the original's map: pgManagerImage, pgClusterManagerImage, pfsdImage, pfsdToolImage. */
  otherImages: z.record(z.string(), image).optional(),
});

const sideContainers = z.strictObject({ manager: resources, pfsdTool: resources, pfsd: resources });

export const siteSchema = z
  .strictObject({
    /** Our own image: all parts run from it. */
    image,
    imagePullPolicy: z.enum(['IfNotPresent', 'Always', 'Never']),
    /** Names of pull Secrets in the system namespace. */
    imagePullSecrets: z.array(z.string().min(1)),
    /** Where our parts run. */
    systemNamespace: namespace,
    /** Where the settings ConfigMaps stand; `kube-system` in the original. */
    settingsNamespace: namespace,
    /** Namespaces with clusters; empty: all of them. With names, nothing of ours may read Secrets elsewhere. */
    watchNamespaces: z.array(namespace),
    operator: part,
    /** Decides who is RW. Two replicas, so that a failover needs no start of a program. */
    clusterManager: part,
    /** On every host: what only it knows, and the care of its logs. */
    daemon,
    /** Cards that clients and hosts reach each other by; `auto`: that of each host's default route. */
    network: z.strictObject({ clientCard: card, internalCard: card }),
    /** Ports on the host network: for engines, for agents and probes, and those that are never given out. */
    ports: z.strictObject({ engine: portRange, external: portRange, reserved: portRange }),
    /** `controller-config`. */
    controller: z.strictObject({
      hybridDeployment: z.boolean(),
      cmHybridDeployment: z.boolean(),
      canUpdateNotChangeableParams: z.boolean(),
      enableOnlinePromote: z.boolean(),
      enableRedline: z.boolean(),
      sshUser: z.string().min(1),
      /** May the daemon run commands on its host by SSH? It does without where Secret `polardb-stack-daemon-ssh` is not. */
      enableSsh: z.boolean(),
      /** Where each host's sshd listens: an address of the loopback, or `InternalIP`, that of the node. */
      sshAddress: z.union([z.ipv4().startsWith('127.'), z.enum(['::1', 'InternalIP'])]),
      sshPort: z.int().min(1).max(65_535),
      /** Are used ports published? */
      enablePrintPort: z.boolean(),
      /** Is the address of each host's management controller published? Needs SSH and ipmitool. */
      isCheckOObIP: z.boolean(),
      /** `plan`: the clean-up of logs only reports what it would do. */
      logCleanUp: z.enum(['plan', 'apply']),
      /** Space for the engine logs of one instance: MiB or a quantity (10Gi). */
      logSize: z.string().regex(/^\d{1,12}(Mi|Gi|Ti)?$/),
      /** A disk that is used more than this loses its oldest engine logs. */
      logDiskPercent: z.int().min(1).max(100),
      /** Do hosts get the images of new versions before a cluster needs them? */
      prePullImages: z.boolean(),
      /** So many hosts at a time. */
      prePullHosts: positive,
      /** What one of them takes of the network, on average; 0: no limit. */
      prePullMiBPerSecond: z.int().min(0),
      controllerNodeLabel: z.string().min(1),
    }),
    /** `instance-system-resources`: containers beside the engine of a PFS site. */
    systemResources: z.strictObject({ share: z.boolean(), shared: sideContainers, normal: sideContainers }),
    /** Have the database nodes huge pages of 2 MiB for all classes that want them? */
    hugePages: z.boolean(),
    /** Time zone of new databases. */
    timeZone: z.string().regex(/^[A-Za-z0-9_+/-]+$/, 'write a name of the time zone database'),
    classes: z.record(z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$/, 'write a class name'), instanceClass),
    versions: z.record(z.string().regex(/^[a-z0-9]([-._a-z0-9]{0,61}[a-z0-9])?$/, 'write a version name'), version),
    /** Version of a cluster that names none. */
    defaultVersions: z.strictObject({ polardb: z.string(), postgresql: z.string() }).partial(),
  })
  .superRefine((site, context) => {
    for (const [engine, name] of Object.entries(site.defaultVersions)) {
      if (site.versions[name]?.engine !== engine) {
        context.addIssue({
          code: 'custom',
          path: ['defaultVersions', engine],
          message: `"${name}" is no version of ${engine} in versions`,
        });
      }
    }
  });

/** What a cluster operator chooses for a site. */
export type Site = z.infer<typeof siteSchema>;
export type SiteClass = z.infer<typeof instanceClass>;
export type SiteVersion = z.infer<typeof version>;

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `over` on top of `base`: objects are merged by key, all else is replaced; null removes a key. */
function merge(base: unknown, over: unknown): unknown {
  if (!isTree(base) || !isTree(over)) return over;
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = key in base && value !== null ? merge(base[key], value) : value;
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}

/**
 * The site with overrides merged over it.
 * @throws Error that names each wrong field
 */
export function checkSite(site: unknown, overrides?: unknown): Site {
  const result = siteSchema.safeParse(overrides === undefined ? site : merge(site, overrides));
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => `  ${path.join('.') || 'site'}: ${message}`);
  throw new Error(['The site is not right:', ...lines].join('\n'));
}
