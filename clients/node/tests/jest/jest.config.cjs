module.exports = { globalSetup: "runware-mock/global-setup", testTimeout: 30_000 };
