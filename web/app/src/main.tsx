// Where the page begins: options, language, state, then the first drawing.

import { connect } from "@peerline/sdk";
import { render } from "preact";
import { App } from "./app";
import { firstLanguage, language } from "./i18n/language";
import { memory } from "./state/memory";
import { readOptions } from "./state/options";
import { Session } from "./state/session";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/lobby.css";
import "./styles/call.css";
import "./styles/panels.css";
import "./styles/inspector.css";

const options = readOptions(location.search);
language.use(firstLanguage(options.lang, memory.lang(), navigator.languages));

const root = document.getElementById("app")!;

if (location.pathname.endsWith("/doctor")) {
  // A page of its own, which most visitors never ask for.
  void import("./pages/doctor").then(({ DoctorPage }) => render(<DoctorPage />, root));
} else {
  const session = new Session(connect, options, location.href);
  // A tab that was registered comes back by itself after a reload or a crash; the SDK then takes up its call.
  const name = memory.registered();
  if (name) void session.register(name, memory.token());
  render(<App session={session} />, root);
}
