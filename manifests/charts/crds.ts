import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { KINDS } from '../../crds/definitions.ts';
import { manifest } from '../object.ts';

/** The kinds that users write. */
export class CrdsChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id, { disableResourceNameHashes: true });
    for (const definition of KINDS) manifest(this, definition);
  }
}
