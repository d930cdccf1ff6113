// Can so few seeds tell? The results of two variants, seed by seed, and the interval in which their difference is.
// The kernel sends how much the losses vary and how much the interval is widened; all else is computed here.

const [WIDE, LEFT, RIGHT] = [860, 116, 24];
const FEWEST = 2; // seeds
const MOST = 20;
const NAMES = ["new", "old"];
const MANY = 100; // drawings at a click
const DRAWS = 10_000; // of the bootstrap
const PAUSE = 150; // ms without a change before the drawings are counted again
const ROOM = 4; // how many standard deviations to either side a picture shows

function render({ model, el }) {
  prepare(el, "Seeds explorer: two variants seed by seed, and whether so few seeds can tell them apart");
  const data = model.get("data");
  const beginning = { seeds: data.seeds, difference: data.difference, drawings: 1 };
  let now = beginning;
  let waiting;
  const number = slider("Seeds", { min: FEWEST, max: MOST }, (seeds) => go({ seeds }));
  const truth = slider("True difference", { min: 0, max: data.most, step: 0.01 }, (difference) => go({ difference }));
  const press = (more) => () => go({ drawings: now.drawings + more });
  const again = html("button", { type: "button", onclick: press(1) }, "New seeds");
  const often = html("button", { type: "button", onclick: press(MANY) }, `${MANY} times`);
  const controls = html("div", { class: "controls" }, number.element, truth.element, again, often);
  const [losses, differences, numbers] = [html("figure"), html("figure"), html("div")];
  const [verdict, count] = [statusLine(), statusLine()];
  el.replaceChildren(controls, losses, differences, verdict, count, numbers);
  const step = (by) => go({ seeds: Math.min(MOST, Math.max(FEWEST, now.seeds + by)) });
  stepKeys(el, { step, reset: () => go(beginning), first: number.input });
  const known = {}; // by the number of seeds: the interval of each drawing, as it is without a true difference
  go({});
  return () => clearTimeout(waiting);

  function go(change) {
    now = { ...now, ...change };
    const { seeds, difference, drawings } = now;
    number.show(seeds, String(seeds));
    truth.show(difference, difference ? `${twoDecimals(difference)} nats better` : "none");
    const pairs = lossesOf(drawings, now, data);
    const gaps = pairs.map(([ours, theirs]) => ours - theirs);
    const interval = intervalOf(drawings);
    losses.replaceChildren(pictureOfLosses(pairs, data), html("figcaption", {}, "each line is a seed"));
    differences.replaceChildren(pictureOfDifferences(gaps, interval, difference, data));
    verdict.say(inWords(gaps, interval));
    const table = numbersTable(gaps.map((_, i) => `seed ${i}`), ["new", "old", "difference"], "Losses in nats", {
      digits: (x, _, column) => (column === 2 ? signed(x, 4) : x.toFixed(4)),
    });
    putTable(numbers, table);
    table.show(pairs.map((pair, i) => [...pair, gaps[i]]));
    clearTimeout(waiting);
    waiting = setTimeout(() => count.say(counted()), count.textContent ? PAUSE : 0);
  }

  /** The interval of a drawing: a true difference moves all values, and with them the interval. */
  function intervalOf(drawing) {
    const { seeds, difference } = now;
    known[seeds] ??= [];
    known[seeds][drawing] ??= intervalOfMean(
      lossesOf(drawing, { seeds, difference: 0 }, data).map(([ours, theirs]) => ours - theirs),
      data.widening[seeds],
    );
    return known[seeds][drawing].map((end) => end - difference);
  }

  /** Of all drawings so far, as they are with the seeds and the true difference of now: how many can tell? */
  function counted() {
    const all = Array.from({ length: now.drawings }, (_, i) => intervalOf(i + 1));
    const found = all.filter((interval) => !holds0(interval)).length;
    const share = `${Math.round((100 * found) / all.length)} %`;
    const many = all.length === 1 ? "1 drawing" : `${all.length} drawings`;
    const sees = `The interval excludes 0 in ${found} of ${many}, or ${share}`;
    return now.difference ? `${sees}: so often it finds the difference.` : `${sees}: each is a false alarm.`;
  }
}

/** What each seed of a drawing gives, [new, old]. More seeds continue the same drawing. */
function lossesOf(drawing, { seeds, difference }, { loss, shared, own }) {
  const chance = normalNumbers(drawing);
  return Array.from({ length: seeds }, () => {
    const both = loss + shared * chance();
    const [ours, theirs] = [both + own * chance(), both + own * chance()];
    return [ours - difference, theirs];
  });
}

/** The same as Python's `interval_of_mean`, with the same draws. */
function intervalOfMean(values, widening) {
  const [n, picks, means] = [values.length, picksOf(values.length), new Float64Array(DRAWS)];
  for (let draw = 0; draw < DRAWS; draw++) {
    let total = 0;
    for (let i = draw * n; i < (draw + 1) * n; i++) total += values[picks[i]];
    means[draw] = total / n;
  }
  means.sort();
  const mean = sum(values) / n;
  return [0.025, 0.975].map((share) => mean + widening * (quantile(means, share) - mean));
}

function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (place % 1) * (above - below);
}

const picked = {};

/** Which of n values each draw has, those of `torch.randint` with the seed 0. */
function picksOf(n) {
  if (!picked[n]) {
    const next = randomNumbers(0);
    picked[n] = Uint8Array.from({ length: DRAWS * n }, () => next() % n);
  }
  return picked[n];
}

/** A function that draws whole numbers below 2³², as torch does: Matsumoto and Nishimura 1998, MT19937. */
function randomNumbers(seed) {
  const [size, shift] = [624, 397];
  const state = Uint32Array.of(seed, ...new Uint32Array(size - 1));
  for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let at = size;
  return () => {
    if (at === size) {
      at = 0;
      for (let i = 0; i < size; i++) {
        const mixed = (state[i] & 0x80000000) | (state[(i + 1) % size] & 0x7fffffff);
        state[i] = state[(i + shift) % size] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      }
    }
    let x = state[at++];
    x ^= x >>> 11;
    x ^= (x << 7) & 0x9d2c5680;
    x ^= (x << 15) & 0xefc60000;
    return (x ^ (x >>> 18)) >>> 0;
  };
}

/** A function that draws from the normal distribution: Box and Muller 1958. */
function normalNumbers(seed) {
  const next = randomNumbers(seed);
  const share = () => (next() + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(share())) * Math.cos(2 * Math.PI * share());
}

function holds0([low, high]) {
  return low <= 0 && high >= 0;
}

/** The verdict in the words of the course's `compare`. */
function inWords(gaps, interval) {
  const [n, pair] = [gaps.length, "new against old, loss"];
  const three = (x) => String(Number(x.toPrecision(3)));
  const [low, high] = interval.map((x) => `${x < 0 ? "-" : "+"}${three(Math.abs(x))}`);
  if (holds0(interval)) return `${pair}: ${n} seeds cannot tell. The difference is between ${low} and ${high} nats.`;
  const sign = Math.sign(sum(gaps));
  const count = gaps.filter((gap) => Math.sign(gap) === sign).length;
  const [near, far] = interval.map(Math.abs).sort((one, other) => one - other);
  const word = sign < 0 ? "better" : "worse";
  return `${pair}: ${word} in ${count} of ${n} seeds, by ${three(near)} to ${three(far)} nats.`;
}

/** Two rows of dots on a scale of losses, and a line for each seed. */
function pictureOfLosses(pairs, { loss, shared, own, most }) {
  const room = ROOM * Math.hypot(shared, own);
  const scale = scaleOf(loss - most - room, loss + room);
  const rows = [28, 84];
  const lines = pairs.map(([ours, theirs]) =>
    svg("line", { class: "axis", x1: scale.at(ours), x2: scale.at(theirs), y1: rows[0], y2: rows[1] }),
  );
  const dots = pairs.flatMap((pair) => pair.map((x, row) => dot(scale.at(x), rows[row], row === 1)));
  const names = NAMES.map((name, row) => svg("text", { class: "end", x: LEFT - 12, y: rows[row] + 4 }, name));
  const axis = scale.axis(104, "loss in nats: further left is better");
  return drawing(WIDE, 142, {}, ...names, ...axis, ...lines, ...dots);
}

/** The differences, the interval of their mean, and 0. */
function pictureOfDifferences(gaps, [low, high], difference, { own, most }) {
  const room = most + ROOM * Math.hypot(own, own);
  const scale = scaleOf(-room, room);
  const rows = [26, 60];
  const [from, to, mean] = [low, high, sum(gaps) / gaps.length].map(scale.at);
  const bar = { class: "interval", x1: from, x2: to, y1: rows[1], y2: rows[1] };
  const tip = (x, by) => svg("path", { class: "interval", d: `M${x} ${rows[1]}m${by} -6l${-by} 6l${by} 6` });
  const end = (x) => svg("line", { class: "interval", x1: x, x2: x, y1: rows[1] - 7, y2: rows[1] + 7 });
  const name = (words, row) => svg("text", { class: "end", x: LEFT - 12, y: rows[row] + 4 }, words);
  const zero = { class: "limit", x1: scale.at(0), x2: scale.at(0), y1: 12, y2: 80 };
  const side = (words, x) => svg("text", { class: "small middle", x, y: 10 }, words);
  const truth = scale.at(-difference);
  return drawing(WIDE, 118, {},
    name("new − old", 0), name("interval", 1),
    side("new is better", (LEFT + scale.at(0)) / 2), side("new is worse", (scale.at(0) + WIDE - RIGHT) / 2),
    ...scale.axis(80, "difference in nats; ▲ is the true one"),
    svg("line", zero),
    svg("path", { class: "truth", d: `M${truth} 72l-6 10h12z` }),
    ...gaps.map((gap) => dot(scale.at(gap), rows[0], false)),
    svg("line", bar),
    low < -room ? tip(from, 8) : end(from),
    high > room ? tip(to, -8) : end(to),
    dot(mean, rows[1], true),
  );
}

function dot(x, y, hollow) {
  return svg("circle", { class: hollow ? "dot hollow" : "dot", cx: x, cy: y, r: 5 });
}

/** A scale from left to right; what lies outside is put at its end. */
function scaleOf(min, max) {
  const at = (x) => LEFT + ((Math.min(max, Math.max(min, x)) - min) / (max - min)) * (WIDE - LEFT - RIGHT);
  const ticks = Array.from({ length: 1 + Math.floor(10 * max + 1e-9) - Math.ceil(10 * min - 1e-9) }, (_, i) => {
    return (Math.ceil(10 * min - 1e-9) + i) / 10;
  });
  const axis = (y, name) => [
    svg("line", { class: "axis", x1: LEFT, x2: WIDE - RIGHT, y1: y, y2: y }),
    ...ticks.map((tick) => svg("text", { class: "small middle", x: at(tick), y: y + 15 }, minus(tick.toFixed(1)))),
    svg("text", { class: "small middle", x: (LEFT + WIDE - RIGHT) / 2, y: y + 32 }, name),
  ];
  return { at, axis };
}

/** A number with its sign. */
function signed(x, digits) {
  return `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(digits)}`;
}

export default { render: guessFirst(render) };
