import { expect } from 'chai';
import { parseControlData } from './control.ts';

describe('pg_controldata', () => {
  it('is read where it says what we need', () => {
    const text = `pg_control version number:            1300
Database system identifier:           7439999999999999999
Database cluster state:               shut down in recovery
Latest checkpoint's TimeLineID:       2
Latest checkpoint's PrevTimeLineID:   1
`;
    expect(parseControlData(text)).to.deep.equal({
      systemId: '7439999999999999999',
      timeline: 2,
      clusterState: 'shut down in recovery',
    });
    expect(parseControlData('')).to.deep.equal({ systemId: undefined, timeline: undefined, clusterState: undefined });
  });
});
