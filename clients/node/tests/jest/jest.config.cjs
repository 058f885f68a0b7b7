module.exports = { globalSetup: "runware-mock/global-setup" };
