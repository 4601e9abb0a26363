import type { PortRange } from '../model/ports.ts';
import type { EngineName } from '../model/roles.ts';

/** The part of a ConfigMap that is read here; any client's type of ConfigMap fits. */
export interface SettingsMap {
  metadata?: {
    name?: string;
    namespace?: string;
    labels?: Readonly<Record<string, string>>;
    annotations?: Readonly<Record<string, string>>;
  };
  data?: Readonly<Record<string, string>>;
}

/** A value in a map that cannot be used. What was in force before stays in force. */
export interface SettingsProblem {
  /** Name of the ConfigMap. */
  map: string;
  key: string;
  message: string;
  /** What the person who edits the map can write instead. */
  remedy: string;
}

/** All settings of a site as one immutable value. */
export interface SiteSettings {
  network: NetworkSettings;
  controller: ControllerSettings;
  ports: PortSettings;
  systemResources: SystemResources;
  /** By class name, `polar.o.x4.medium`. */
  classes: ReadonlyMap<string, InstanceClass>;
  /** By version name, `image-open`. */
  versions: ReadonlyMap<string, EngineVersion>;
  /** Version of a cluster that names none. */
  defaultVersions: Readonly<Partial<Record<EngineName, string>>>;
  templates: Readonly<Partial<Record<EngineName, ParameterTemplate>>>;
  problems: readonly SettingsProblem[];
}

/** `ccm-config`. */
export interface NetworkSettings {
  /** Network card that clients reach, for example `bond1`. */
  clientCard: string;
  /** Network card between the hosts. */
  internalCard: string;
}

/** `controller-config`: the keys with a meaning here; others of the original are accepted and ignored. */
export interface ControllerSettings {
  /** May databases run on control plane nodes? */
  hybridDeployment: boolean;
  /** May the cluster manager run on control plane nodes? */
  cmHybridDeployment: boolean;
  /** May users change parameters that the template locks? */
  canUpdateNotChangeableParams: boolean;
  enableOnlinePromote: boolean;
  enableRedline: boolean;
  /** Account for host commands. */
  sshUser: string;
  /** Label of control plane nodes. */
  controllerNodeLabel: string;
}

/** Annotations of `polardb4mpd-controller`. */
export interface PortSettings {
  /** Where `netCfg.engineStartPort` may lie. */
  engine?: PortRange;
  /** Ports given to agents and probes on the host network. */
  external?: PortRange;
  /** Ports that are never given out. */
  reserved: readonly PortRange[];
}

export type SideContainer = 'manager' | 'pfsdTool' | 'pfsd';
export type ResourcePair = Readonly<Record<'limits' | 'requests', Readonly<Partial<Record<'cpu' | 'memory', string>>>>>;

/** `instance-system-resources`: sizes of the containers beside the engine, Kubernetes quantities. */
export interface SystemResources {
  /** Which half of the map is in force. */
  shared: boolean;
  single: Readonly<Partial<Record<SideContainer, ResourcePair>>>;
  readWriteMany: Readonly<Partial<Record<SideContainer, ResourcePair>>>;
}

/** One instance class: its resource map and its parameter map together. */
export interface InstanceClass {
  name: string;
  /** For people, `2c 8GB`. */
  displayName: string;
  /** Thousandths of a core. */
  cpu: Readonly<{ requestMillis: number; limitMillis: number }>;
  /** MiB, huge pages not counted. */
  memory: Readonly<{ requestMi: number; limitMi: number }>;
  /** MiB in pages of 2 MiB; 0: this class uses none. */
  hugepagesMi: number;
  /** MiB a volume of this class must and may have. */
  storage: Readonly<{ minMi?: number; maxMi?: number }>;
  /** `class_specified`: wishes for the containers beside the engine. */
  containers: Readonly<Record<string, Readonly<{ cpu?: string; memory?: string; config?: string }>>>;
  /** Engine parameters of this class, values without quotes. */
  parameters: Readonly<Record<string, string>>;
}

/** One minor version: what a cluster's containers run. */
export interface EngineVersion {
  name: string;
  engine: EngineName;
  engineImage: string;
  /** User and group of the engine's processes; absent: what the image says. */
  runAs?: Readonly<{ user: number; group: number }>;
  /** The other images of the original's map by their key (`pfsdImage`, `pgManagerImage` ...). */
  otherImages: Readonly<Record<string, string>>;
}

export interface ParameterTemplate {
  engine: EngineName;
  /** By name in lower case: engines compare parameter names without case. */
  items: ReadonlyMap<string, ParameterItem>;
}

export interface ParameterItem {
  /** As the template writes it. */
  name: string;
  /** A value without quotes or a formula `{memory/4}`; absent: the engine's own default. */
  defaultValue?: string;
  /** Takes effect without a restart. */
  dynamic: boolean;
  visible: boolean;
  changeable: boolean;
  allowed?: Allowed;
  /** `B`: an amount of memory or disk, formulas give MB. */
  kind: 'STRING' | 'INT' | 'DOUBLE' | 'B';
  /** Unit of the allowed range and of a plain number (`8kB`, `ms`); absent: plain numbers only. */
  baseUnit?: string;
}

export type Allowed =
  | Readonly<{ form: 'range'; text: string; min: number; max: number }>
  | Readonly<{ form: 'list'; text: string; values: readonly string[] }>
  | Readonly<{ form: 'pattern'; text: string; pattern: RegExp }>;
