import { render } from "preact";
import { App } from "./app";
import { follow } from "./data/store";
import "./styles/base.css";
import "./styles/table.css";
import "./styles/sample.css";

const root = document.getElementById("app");
if (root) render(<App />, root);
follow();
