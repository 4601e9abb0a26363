import { buildImages, type Images } from '../../scripts/images/images.ts';
import { up, type LocalCluster } from '../../scripts/kubernetes/cluster.ts';
import { printSteps, step } from '../../scripts/kubernetes/progress.ts';

let images: Promise<Images> | undefined;
let cluster: Promise<LocalCluster> | undefined;

/** The images under test, built from the source as it is now; the same ones for the whole run. */
export function e2eImages(): Promise<Images> {
  images ??= buildImages(printSteps);
  return images;
}

/**
 * The cluster of three nodes that all end-to-end tests share: started or, when it is up, taken as it
 * is, with the images of this source loaded and the volumes of deleted claims offered anew.
 */
export function e2eCluster(): Promise<LocalCluster> {
  cluster ??= prepare();
  return cluster;
}

async function prepare(): Promise<LocalCluster> {
  const [ready, { stack, postgresql }] = await Promise.all([up({ name: 'e2e', report: printSteps }), e2eImages()]);
  await step(printSteps, 'images on the nodes', () =>
    Promise.all([stack, postgresql].map(image => ready.load(image.archive))),
  );
  // An earlier run may have been ended amid a fault.
  for (const { name } of ready.nodes) await ready.restoreNode(name);
  await ready.recycleVolumes();
  return ready;
}
