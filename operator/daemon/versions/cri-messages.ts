import { fromJSON, type MethodDefinition } from '@grpc/proto-loader';

const method = (requestType: string, responseType: string) => ({ requestType, responseType, comment: '' });

/**
 * The few messages of the container runtime interface that are spoken here (kubernetes/cri-api, runtime/v1/api.proto,
 * ImageService); names and field numbers are its. A runtime passes over what is left out, and we over what it adds.
 */
const MESSAGES: NonNullable<Parameters<typeof fromJSON>[0]['nested']> = {
  ImageService: {
    methods: {
      ImageStatus: method('ImageStatusRequest', 'ImageStatusResponse'),
      PullImage: method('PullImageRequest', 'PullImageResponse'),
    },
  },
  ImageSpec: { fields: { image: { type: 'string', id: 1 } } },
  Image: { fields: { id: { type: 'string', id: 1 }, size: { type: 'uint64', id: 4 } } },
  ImageStatusRequest: { fields: { image: { type: 'ImageSpec', id: 1 } } },
  ImageStatusResponse: { fields: { image: { type: 'Image', id: 1 } } },
  PullImageRequest: { fields: { image: { type: 'ImageSpec', id: 1 } } },
  PullImageResponse: { fields: { imageRef: { type: 'string', id: 1 } } },
};

export interface ImageRequest {
  image: { image: string };
}

/** An image that is not there is left out of the answer. */
export interface ImageStatusResponse {
  image?: { id?: string; size?: number } | null;
}

interface ImageMethods {
  ImageStatus: MethodDefinition<ImageRequest, ImageStatusResponse>;
  PullImage: MethodDefinition<ImageRequest, object>;
}

const definition = fromJSON({ nested: { runtime: { nested: { v1: { nested: MESSAGES } } } } }, { longs: Number });

export const IMAGE_METHODS = definition['runtime.v1.ImageService'] as unknown as ImageMethods;
