import { defineConfig } from "vitest/config";

export default defineConfig({ test: { globalSetup: "runware-mock/global-setup" } });
