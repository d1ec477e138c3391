import { render } from "preact";
import "./app.css";

const App = () => <main>Reading …</main>;

const root = document.getElementById("app");
if (root) render(<App />, root);
