import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { IMAGE_METHODS, type ImageRequest } from './cri-messages.ts';

/** An image on this host. */
export interface PresentImage {
  id: string;
  /** As the runtime counts: containerd what was downloaded, CRI-O what it takes on the disk. */
  bytes: number;
}

/** The images of this host's container runtime. */
export interface ImageService {
  /** Undefined: the image is not on this host. @throws Error when the runtime does not say */
  find(image: string, signal: AbortSignal): Promise<PresentImage | undefined>;
  /** Gets an image with the registry accounts that the runtime itself has. @throws Error with the runtime's word */
  pull(image: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

const ANSWER_MS = 10_000;
/** The signal ends a pull earlier; this is for a runtime that never answers. */
const PULL_MS = 3_600_000;

/**
 * containerd and CRI-O alike, over the unix socket that the kubelet uses. A connection is made for a few questions and
 * closed again: then no back-off of a runtime that was away holds up the next check.
 */
export class CriImages implements ImageService {
  readonly #socket: string;
  readonly #client: Client;

  constructor(socket: string) {
    this.#socket = socket;
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      // The name that servers on unix sockets expect.
      'grpc.default_authority': 'localhost',
      'grpc.enable_http_proxy': 0,
    });
  }

  async find(image: string, signal: AbortSignal): Promise<PresentImage | undefined> {
    const answer = await this.#call(IMAGE_METHODS.ImageStatus, { image: { image } }, { limitMs: ANSWER_MS, signal });
    return answer.image ? { id: answer.image.id ?? '', bytes: answer.image.size ?? 0 } : undefined;
  }

  async pull(image: string, signal: AbortSignal): Promise<void> {
    await this.#call(IMAGE_METHODS.PullImage, { image: { image } }, { limitMs: PULL_MS, signal });
  }

  close(): void {
    this.#client.close();
  }

  #call<R>(
    method: MethodDefinition<ImageRequest, R>,
    request: ImageRequest,
    { limitMs, signal }: { limitMs: number; signal: AbortSignal },
  ): Promise<R> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest<ImageRequest, R>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + limitMs },
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          if (error) reject(this.#told(error, signal));
          else resolve(answer!);
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel);
    });
  }

  #told(error: ServiceError, signal: AbortSignal): Error {
    if (signal.aborted) return signal.reason as Error;
    const text = {
      [status.UNAVAILABLE]: `no container runtime answers at ${this.#socket}`,
      [status.DEADLINE_EXCEEDED]: `the container runtime at ${this.#socket} did not answer in time`,
      [status.UNIMPLEMENTED]: `the container runtime at ${this.#socket} does not speak CRI v1`,
    }[error.code as number];
    return new Error(text ?? `the container runtime: ${error.details}`, { cause: error });
  }
}
