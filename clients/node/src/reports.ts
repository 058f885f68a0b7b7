import type { Entry, PlanState } from "./control";

const SHOWN_TASKS = 10;
const SHOWN_DIGEST_CHARS = 12;

/** Say which faults of a plan, or answers of a rule, did not happen as often as planned. */
export function unmetPlan(plan: PlanState): string {
  const isRule = plan.faults.every((fault) => fault.kind === "answer");
  const [whole, part, done] = isRule ? ["rule", "answer", "given"] : ["fault plan", "fault", "happened"];
  const lines = plan.faults.flatMap((fault, index) => {
    // A fault that is planned without end has to happen once.
    const wanted = fault.times ?? 1;
    if (fault.met >= wanted) return [];
    const kind = isRule ? "" : `, ${fault.kind}`;
    const seen = `${counted(fault.seen, "matching call")} seen`;
    return [`  ${part} ${index + 1}${kind}: ${done} ${fault.met} of ${counted(wanted, "time")}; ${seen}`];
  });
  return [
    `the ${whole} '${plan.name}' was not fully ${isRule ? "used" : "met"}`,
    ...lines,
    ...plan.warnings.map((warning) => `  ${warning}`),
    ...(plan.nearest ? [`  nearest task: ${plan.nearest}`] : []),
  ].join("\n");
}

/** Say that these tasks crashed the mock itself. */
export function crashReport(crashes: readonly Entry[]): string {
  return `the mock itself crashed (its log says why); ${taskHistory(crashes)}`;
}

/** List tasks and refused requests one a line, the oldest first; of many, only the last. */
export function taskHistory(entries: readonly Entry[]): string {
  if (entries.length === 0) return "no task was sent to the mock";
  const earlier = entries.length - SHOWN_TASKS;
  const head = earlier > 0 ? [`  (${counted(earlier, "earlier task")} not shown)`] : [];
  return ["tasks sent to the mock:", ...head, ...entries.slice(-SHOWN_TASKS).map(taskLine)].join("\n");
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export function were(count: number): string {
  return count === 1 ? "was 1" : `were ${count || "none"}`;
}

function taskLine(entry: Entry): string {
  const asked = entry.task_type ?? `${String(entry.task["method"])} ${String(entry.task["path"] ?? entry.task["url"])}`;
  const what = [entry.outcome, asked, entry.task_uuid].filter(Boolean).join(" ");
  return `  ${what} (${entry.transport})${detail(entry)}`;
}

function detail(entry: Entry): string {
  if (entry.audit) {
    const { sha256, width_px, height_px } = entry.audit.sent;
    const size = width_px ? ` ${width_px}x${height_px}` : "";
    return `: ${entry.audit.format}${size}, SHA-256 ${sha256.slice(0, SHOWN_DIGEST_CHARS)}…`;
  }
  const error = entry.outcome === "success" ? undefined : entry.answer[0];
  return error === undefined ? "" : `: ${String(error["code"])}: ${String(error["message"])}`;
}
