import { runApplication } from "./shell/application.ts";

runApplication(import.meta.dirname);
