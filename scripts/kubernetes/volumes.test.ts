import { expect } from 'chai';
import { releasedVolumes } from './volumes.ts';

describe('local volumes', () => {
  const volume = (name: string, phase: string, persistentVolumeReclaimPolicy: string) => ({
    metadata: { name },
    spec: { persistentVolumeReclaimPolicy },
    status: { phase },
  });

  it('are emptied only when their claim is gone and nobody asked to keep them', () => {
    const items = [
      volume('free', 'Available', 'Delete'),
      volume('used', 'Bound', 'Delete'),
      volume('released', 'Released', 'Delete'),
      volume('failed', 'Failed', 'Delete'),
      volume('kept', 'Released', 'Retain'),
    ];
    expect(releasedVolumes(JSON.stringify({ items }))).to.deep.equal(['released', 'failed']);
  });
});
