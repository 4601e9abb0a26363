import { expect } from 'chai';
import type { LogsReport } from '../report.ts';
import { siteOf, Tree, unaborted } from './tree.ts';

/** Test only: a tree, and clean-ups of it. */
export class Cleaning {
  readonly tree = new Tree();
  readonly site = siteOf(this.tree);
  readonly #outside = this.tree.snapshot(this.tree.outside);

  /** Whatever was cleaned, nothing outside has changed. */
  end(): void {
    expect(this.tree.snapshot(this.tree.outside)).to.deep.equal(this.#outside);
    this.tree.remove();
  }

  apply(): Promise<LogsReport> {
    return this.site.cleaner.apply(unaborted());
  }

  /** The plan, then its execution: they must say the same. */
  async clean(): Promise<LogsReport> {
    const before = this.tree.snapshot();
    const plan = await this.site.cleaner.plan(unaborted());
    expect(this.tree.snapshot(), 'a plan changes nothing').to.deep.equal(before);
    const report = await this.apply();
    expect(plan.actions).to.have.deep.members(report.actions);
    expect(plan.totals).to.deep.equal(report.totals);
    return report;
  }
}

/** What was done, by rule and path. */
export const rules = (report: LogsReport): string[] => report.actions.map(it => `${it.rule} ${it.path}`).sort();
