// What would have flipped a choice: how far the runner-up was, in the terms of the strategy.

function flips(problem, scorer, strategies) {
  const clusters = problem.c, found = [];
  if (clusters.length < 2) return clusters.length ? ["All candidates with an answer agree: no strategy could choose otherwise."] : [];
  const name = (place) => clusters[place].a, scores = problem.s[scorer];
  const gap = clusters[0].m.length - clusters[1].m.length, wins = clusters[1].m[0] < clusters[0].m[0]; // of a tie the earliest wins
  const tied = clusters.filter((c) => c.m.length === clusters[0].m.length).length;
  found.push(["maj1", tied > 1
    ? [`${tied} clusters tie with ${plural(clusters[0].m.length, "vote")}; the earliest candidate decided. One more vote for another would have flipped the choice.`]
    : ["The vote: ", plural(gap + (wins ? 0 : 1), "more vote"), " for ", clusters[1].a, ` (or ${plural(wins ? Math.ceil(gap / 2) : Math.floor(gap / 2) + 1, "candidate")} changing over) would have flipped it.`]]);
  if (!scores) return found;
  const sums = clusters.map((c) => d3.sum(c.m, (i) => (scores[i] ?? 0) / 1000)), best = clusters.map((c) => d3.max(c.m, (i) => (scores[i] ?? 0) / 1000));
  const margin = (values, places, what) => {
    const order = [...places].sort((a, b) => values[b] - values[a]);
    if (order.length < 2) return null;
    const gap = values[order[0]] - values[order[1]];
    return [`${what} of `, name(order[0]), ` is ${values[order[0]].toFixed(2)}, that of `, name(order[1]), ` ${values[order[1]].toFixed(2)}: `, gap < 0.0005 ? "a tie but for rounding." : `${gap.toFixed(3)} more would have flipped it.`];
  };
  const all = d3.range(clusters.length);
  for (const strategy of strategies) {
    const top = /\.top(\d+)$/.exec(strategy)?.[1], places = top ? all.slice(0, +top) : all;
    if (/^rr\./.test(strategy)) found.push([strategy, margin(best, places, "The best score")]);
    if (/^w\.rr/.test(strategy)) found.push([strategy, margin(sums, places, "The summed score")]);
  }
  return found.filter(([, text]) => text);
}
