/** The recall and alert-rate curve as a picture, drawn without a library so that equal figures give equal bytes. */

export interface CurvePoint {
  readonly threshold: number;
  readonly recall: number;
  readonly alertRate: number;
}

export interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly CurvePoint[];
}

const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 64;
const RIGHT = 24;
const TOP = 40;
const BOTTOM = 56;
const MAX_ALERT_RATE = 0.05;
const MIN_RECALL = 0.8;

const x = (alertRate: number): number =>
  LEFT + (Math.min(alertRate, MAX_ALERT_RATE) / MAX_ALERT_RATE) * (WIDTH - LEFT - RIGHT);
const y = (recall: number): number =>
  TOP + ((1 - Math.max(recall, MIN_RECALL)) / (1 - MIN_RECALL)) * (HEIGHT - TOP - BOTTOM);
const at = (value: number): string => value.toFixed(1);

/** @param threshold the shipped one, marked on each curve */
export function drawCurves(curves: readonly Curve[], threshold: number): string {
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="22" font-size="15" fill="#222222">Recall on listed customers against alert rate on others, by threshold</text>`,
  ];
  for (let step = 0; step <= 5; step += 1) {
    const rate = (step * MAX_ALERT_RATE) / 5;
    const recall = MIN_RECALL + (step * (1 - MIN_RECALL)) / 5;
    lines.push(
      `<line x1="${at(x(rate))}" y1="${TOP}" x2="${at(x(rate))}" y2="${HEIGHT - BOTTOM}" stroke="#e2e2e2"/>`,
      `<text x="${at(x(rate))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#444444">${(rate * 100).toFixed(0)} %</text>`,
      `<line x1="${LEFT}" y1="${at(y(recall))}" x2="${WIDTH - RIGHT}" y2="${at(y(recall))}" stroke="#e2e2e2"/>`,
      `<text x="${LEFT - 8}" y="${at(y(recall) + 4)}" text-anchor="end" fill="#444444">${(recall * 100).toFixed(0)} %</text>`,
    );
  }
  lines.push(
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle" fill="#222222">alert rate on customers who are on no list</text>`,
    `<text x="18" y="${(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" fill="#222222" transform="rotate(-90 18 ${(TOP + HEIGHT - BOTTOM) / 2})">recall</text>`,
  );
  curves.forEach((curve, index) => {
    const path = curve.points.map((point) => `${at(x(point.alertRate))},${at(y(point.recall))}`).join(' ');
    lines.push(`<polyline points="${path}" fill="none" stroke="${curve.colour}" stroke-width="2"/>`);
    const shipped = curve.points.find((point) => Math.abs(point.threshold - threshold) < 1e-9);
    if (shipped)
      lines.push(
        `<circle cx="${at(x(shipped.alertRate))}" cy="${at(y(shipped.recall))}" r="5" fill="${curve.colour}"/>`,
      );
    const legend = HEIGHT - BOTTOM - 18 - index * 20;
    lines.push(
      `<line x1="${WIDTH - 300}" y1="${legend - 4}" x2="${WIDTH - 276}" y2="${legend - 4}" stroke="${curve.colour}" stroke-width="2"/>`,
      `<text x="${WIDTH - 268}" y="${legend}" fill="#222222">${curve.name}</text>`,
    );
  });
  lines.push(
    `<text x="${WIDTH - 268}" y="${HEIGHT - BOTTOM - 18 - curves.length * 20}" fill="#222222">dot: shipped threshold ${threshold}</text>`,
    '</svg>',
    '',
  );
  return lines.join('\n');
}
