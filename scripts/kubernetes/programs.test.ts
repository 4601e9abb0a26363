import { expect } from 'chai';
import { kubernetesVersion } from './programs.ts';

describe('version of Kubernetes', () => {
  it('is the one of the requirement, not of a replacement', () => {
    const goMod = 'require (\n\tk8s.io/kubectl v0.0.0\n\tk8s.io/kubernetes v1.34.4\n)\n';
    expect(kubernetesVersion(goMod)).to.equal('v1.34.4');
  });

  it('is never guessed', () => expect(() => kubernetesVersion('module x\n')).to.throw('names no version'));
});
