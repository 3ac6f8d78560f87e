// What other scripts of the page give to the designer's modules.
import type { Htmx } from "htmx.org";

declare global {
  const htmx: Htmx;

  /** A node or a note as it stands on the canvas. */
  interface FlowItem {
    id: string;
    el: HTMLElement;
    x: number;
    y: number;
    h: number;
    ports: string[];
    /** It starts the flow: nothing leads to it. */
    start: boolean;
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
  interface Point {
    x: number;
    y: number;
  }
  interface Box extends Point {
    w: number;
    h: number;
  }
}
