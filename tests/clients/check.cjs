// Queries, streams, inserts, errors and an abort through @clickhouse/client. Prints one JSON object.
// Usage: node check.cjs URL WRITER_PASSWORD, with the packages of package.json beside it or in NODE_PATH.
const assert = require("node:assert");
const { createClient } = require("@clickhouse/client");

const [url, password] = process.argv.slice(2);

async function main() {
  const reader = createClient({ url, compression: { response: true } });
  const writer = createClient({ url, username: "writer", password, compression: { request: true } });
  const done = {};
  try {
    assert.equal((await reader.ping()).success, true);
    const rows = await reader.query({
      query: "SELECT number AS n, {word:String} AS word FROM numbers(3)",
      query_params: { word: "it's" },
      format: "JSONEachRow",
    });
    assert.deepEqual((await rows.json()).map((row) => [Number(row.n), row.word]), [
      [0, "it's"], [1, "it's"], [2, "it's"],
    ]);

    await writer.command({
      query: "CREATE OR REPLACE TABLE npm_rows (a UInt64, b String) ENGINE = MergeTree ORDER BY a",
    });
    const values = Array.from({ length: 50000 }, (_, n) => ({ a: n, b: `row ${n}` }));
    await writer.insert({ table: "npm_rows", values, format: "JSONEachRow" });
    const counted = await reader.query({ query: "SELECT count() AS c FROM npm_rows", format: "JSON" });
    done.inserted = Number((await counted.json()).data[0].c);
    assert.equal(done.inserted, values.length);

    const stream = await reader.query({
      query: "SELECT a FROM npm_rows ORDER BY a", format: "JSONCompactEachRow",
    });
    done.streamed = 0;
    for await (const batch of stream.stream()) done.streamed += batch.length;
    assert.equal(done.streamed, values.length);

    await assert.rejects(reader.query({ query: "SELECT * FROM nothing_here" }), (error) => {
      done.unknown_table = error.code;
      return error.code === "60";
    });
    await assert.rejects(reader.command({ query: "DROP TABLE npm_rows" }), (error) => {
      done.refused = error.code;
      return error.code === "164";
    });
    const abort = new AbortController();
    const endless = reader.query({
      query: "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1",
      abort_signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 500);
    await assert.rejects(endless);
    done.aborted = true;
  } finally {
    await reader.close();
    await writer.close();
  }
  console.log(JSON.stringify(done));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
