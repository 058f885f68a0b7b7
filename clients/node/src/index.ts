export type { Settings } from "./command";
export type { Entry, EntryFilter, Fault, Given, Medium, Pattern, PlanState, RuleState, Schemas } from "./control";
export { RunwareMock, type Picture } from "./mock";
export { accountPerTest, freshAccount, globalSetup, type Hooks } from "./runners";
export { freshKey, startRunwareMock, type RunwareMockServer, type StartOptions } from "./server";
export { ControlError } from "./wire";
