/** Where an agent listens. */
export interface AgentEndpoint {
  /** IP address or DNS name to dial. */
  address: string;
  port: number;
  /** Name that the agent's certificate must carry. */
  serverName: string;
}

/** PEM texts: our CA, and the caller's own certificate (its subject's OU says which part calls). */
export interface TlsMaterial {
  ca: string;
  cert: string;
  key: string;
}
