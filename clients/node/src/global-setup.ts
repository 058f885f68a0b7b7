/** The global setup without options: `globalSetup: "runware-mock/global-setup"`. */
import { globalSetup } from "./runners";

export = globalSetup();
