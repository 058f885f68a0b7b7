import { defineConfig } from "@playwright/test";

export default defineConfig({ globalSetup: require.resolve("runware-mock/global-setup") });
