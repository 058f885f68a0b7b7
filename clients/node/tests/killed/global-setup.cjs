const { globalSetup } = require("runware-mock");

// The server's process id is for the test that runs this.
const script = 'echo $$ > "$0"; exec runware-mock "$@"';
module.exports = globalSetup({ command: ["sh", "-c", script, process.env.PID_FILE] });
