export { MeasuringCanvas, type MeasuringCanvasProps } from "./MeasuringCanvas";
export { type ArmScene, type Chosen } from "./marks";
export { bytesOfDataUrl } from "./png";
export { HANDLES } from "./pointer";
