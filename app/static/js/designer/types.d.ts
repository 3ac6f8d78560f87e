// What other scripts of the page give to the designer's modules.
import type { Htmx } from "htmx.org";

declare global {
  const htmx: Htmx;

  /** A node as it stands on the canvas. */
  interface FlowNode {
    id: string;
    el: HTMLElement;
    x: number;
    y: number;
    h: number;
    ports: string[];
    within: string;
    /** It starts the flow: nothing leads to it. */
    start: boolean;
    container: boolean;
    /** It is out of sight. */
    far?: boolean;
  }
  interface FlowEdge {
    id: string;
    el: SVGPathElement;
    from: string;
    port: string;
    to: string;
    far?: boolean;
  }
  interface FlowNote {
    id: string;
    el: HTMLElement;
    x: number;
    y: number;
    far?: boolean;
  }
  interface Point {
    x: number;
    y: number;
  }
}
