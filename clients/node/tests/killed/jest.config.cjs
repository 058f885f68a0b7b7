module.exports = { globalSetup: "./global-setup.cjs" };
