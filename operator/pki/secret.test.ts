import { expect } from 'chai';
import { bundleOf, caData, readCaData, readTlsData, tlsData, type CaStore } from './secret.ts';

const pem = (name: string) => ({ certificate: `certificate ${name}\n`, key: `key ${name}\n` });

describe('Secrets of certificates', () => {
  it('hold certificate, key and authorities under the usual names', () => {
    const files = { ...pem('a'), bundle: 'both\n' };
    expect(Object.keys(tlsData(files))).to.deep.equal(['tls.crt', 'tls.key', 'ca.crt']);
    expect(readTlsData(tlsData(files))).to.deep.equal(files);
  });

  for (const missing of ['tls.crt', 'tls.key', 'ca.crt']) {
    it(`are as good as none without ${missing}`, () => {
      const data = { ...tlsData({ ...pem('a'), bundle: 'b' }), [missing]: '' };
      expect(readTlsData(data)).to.equal(undefined);
      expect(readCaData(data)).to.equal(undefined);
    });
  }
  it('are none when there is no Secret', () =>
    expect([readTlsData(undefined), readCaData(undefined)]).to.deep.equal([undefined, undefined]));

  const stores: CaStore[] = [
    { current: pem('a') },
    { current: pem('a'), next: pem('b'), settledAt: '2026-01-02T03:04:05Z' },
    { current: pem('b'), previous: pem('a').certificate },
  ];
  for (const store of stores) {
    it(`keep the authority through each phase of a rotation: ${Object.keys(store).join()}`, () => {
      expect(readCaData(caData(store))).to.deep.equal(store);
      expect(readTlsData(caData(store))?.bundle).to.equal(bundleOf(store));
    });
  }
});
