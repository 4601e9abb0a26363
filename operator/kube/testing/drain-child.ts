import { SampleOperator } from './sample-operator.ts';
import { clientOf } from './support.ts';

/** Test only: a program with an operator that drains on SIGTERM. Ends by itself only if nothing is left running. */
const [url = ''] = process.argv.slice(2);
const operator = new SampleOperator(clientOf(url), {
  election: { lease: { namespace: 'ns', name: 'sample' }, identity: 'child' },
});
operator.before = key => {
  process.send?.(`running ${key}`);
  return new Promise(resolve => setTimeout(resolve, 200));
};
process.once('SIGTERM', () => {
  void operator.drain().then(isClean => {
    process.send?.(`drained ${isClean}`);
    process.disconnect();
  });
});
await operator.start();
