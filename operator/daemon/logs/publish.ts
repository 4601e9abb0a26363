import type { FactContent } from '../fact-map.ts';
import { summaryOf, type LogsReport } from './report.ts';

/** The report as its ConfigMap has it: one line for people, the whole for programs. */
export function reportContent(report: LogsReport): FactContent {
  const { mode, state, startedAt, endedAt } = report;
  return {
    data: {
      summary: report.error ?? summaryOf(report),
      mode,
      state,
      startedAt,
      ...(endedAt && { endedAt }),
      report: `${JSON.stringify(report, undefined, 1)}\n`,
    },
  };
}
