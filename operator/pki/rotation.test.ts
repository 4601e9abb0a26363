import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { createCa } from './ca.ts';
import { DAY_MS, type KeyedCertificate } from './keys.ts';
import { issueLeaf } from './leaf.ts';
import { decideLeaf, isIssuedBy } from './renewal.ts';
import { decideRotation, introduced, retired, SETTLE_MS, settled, switched, type RotationStep } from './rotation.ts';
import { bundleOf, caData, readCaData, type CaStore, type TlsFiles } from './secret.ts';

const start = new Date('2026-01-02T03:04:05Z');
const subjects = ['a', 'b', 'c'].map(name => ({ part: 'agent', name }));

describe('rotation of the authority', () => {
  let ca: KeyedCertificate;
  before(async () => (ca = await createCa({ now: start })));

  const step = (store: CaStore | undefined, changes = {}): RotationStep =>
    decideRotation({ store, leafs: [], requested: false, now: start, ...changes }).step;

  it('begins with none', () => expect(step(undefined)).to.equal('create'));
  it('replaces what cannot be read', () =>
    expect(step({ current: { certificate: 'x', key: 'x' } })).to.equal('create'));
  it('keeps a good one', () => expect(step({ current: ca })).to.equal('keep'));
  it('begins on request', () => expect(step({ current: ca }, { requested: true })).to.equal('introduce'));
  it('begins when less than a third of its life is left', () => {
    const after = (days: number): RotationStep =>
      step({ current: ca }, { now: new Date(start.getTime() + days * DAY_MS) });
    expect([after(2430), after(2440)]).to.deep.equal(['keep', 'introduce']);
  });

  it('reaches its end, and at every moment every program accepts every other, with mounted copies that lag', async () => {
    let store: CaStore = { current: ca };
    let now = start;
    const authorities = [ca.certificate];
    const issue = async (i: number): Promise<TlsFiles> => ({
      ...(await issueLeaf(store.current, { subject: subjects[i]!, sans: [] }, { now })),
      bundle: bundleOf(store),
    });
    const secrets = await Promise.all(subjects.map((_, i) => issue(i)));
    const history = [[...secrets]];
    const steps: RotationStep[] = [];

    for (let round = 0; round < 60 && steps.at(-1) !== 'retire'; round++) {
      const verdict = decideRotation({ store, leafs: secrets, requested: steps.length === 0, now });
      if (verdict.step !== 'keep') steps.push(verdict.step);
      store = readCaData(caData(await act(verdict.step, store, now)))!;
      if (store.next) authorities.push(store.next.certificate);
      // One Secret a round is looked after; what the programs have mounted is three quarters of the settling time old.
      const i = round % subjects.length;
      const wanted = { subject: subjects[i]!, sans: [], ca: store.current.certificate, bundle: bundleOf(store), now };
      const leaf = decideLeaf({ ...wanted, stored: secrets[i]! });
      if (leaf.action === 'reissue') secrets[i] = await issue(i);
      if (leaf.action === 'rewrite') secrets[i] = { ...secrets[i]!, bundle: bundleOf(store) };
      history.push([...secrets]);
      const mounted = [...(history[Math.max(0, history.length - 4)] ?? []), ...secrets];
      expect(allAccept(mounted, authorities), `round ${round}, ${steps.join()}`).to.equal(true);
      now = new Date(now.getTime() + SETTLE_MS / 4);
    }
    expect(steps).to.deep.equal(['introduce', 'settle', 'switch', 'settle', 'retire']);
    expect(store.current.certificate).to.not.equal(ca.certificate);
    expect(bundleOf(store)).to.equal(store.current.certificate);
  });
});

/** What the authority's keeper makes of a step. */
async function act(step: RotationStep, store: CaStore, now: Date): Promise<CaStore> {
  if (step === 'introduce') return introduced(store, await createCa({ now }));
  if (step === 'settle') return settled(store, now);
  if (step === 'switch') return switched(store);
  return step === 'retire' ? retired(store) : store;
}

/** Does every program trust the authority that issued every other's certificate? */
function allAccept(programs: readonly TlsFiles[], authorities: readonly string[]): boolean {
  const issuers = programs.map(({ certificate }) => {
    const leaf = new X509Certificate(certificate);
    return authorities.find(it => isIssuedBy(leaf, new X509Certificate(it)))!;
  });
  return programs.every(({ bundle }) => issuers.every(it => bundle.includes(it)));
}
