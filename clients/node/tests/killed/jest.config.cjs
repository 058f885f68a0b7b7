module.exports = { globalSetup: "./global-setup.cjs", testTimeout: 30_000 };
