// Does what Grafana's ClickHouse plugin does, through the driver that it uses (clickhouse-go, HTTP,
// gzip): greeting, ping, its questions about the schema, rows of every table and view, SETTINGS in
// the statement, a stream, errors by their codes, a deadline; then a batch with each compression.
// Prints one JSON object. Usage: go run check.go HOST:PORT WRITER_PASSWORD [DATABASE]
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

var address, password, database = "", "", "default"

func options(method clickhouse.CompressionMethod, user string) *clickhouse.Options {
	auth := clickhouse.Auth{Database: database, Username: user}
	if user == "writer" {
		auth.Password = password
	}
	return &clickhouse.Options{
		Addr:        []string{address},
		Auth:        auth,
		Protocol:    clickhouse.HTTP,
		Compression: &clickhouse.Compression{Method: method},
		DialTimeout: 10 * time.Second,
		ReadTimeout: 60 * time.Second,
	}
}

func must(err error, what string) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

// count reads all rows and columns of a statement as whatever the driver makes of them.
func count(db *sql.DB, statement string) int {
	rows, err := db.QueryContext(context.Background(), statement)
	must(err, statement)
	defer rows.Close()
	columns, err := rows.ColumnTypes()
	must(err, statement)
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	found := 0
	for rows.Next() {
		must(rows.Scan(values...), statement)
		found++
	}
	must(rows.Err(), statement)
	return found
}

func code(err error) int32 {
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		return exception.Code
	}
	return 0
}

func main() {
	address, password = os.Args[1], os.Args[2]
	if len(os.Args) > 3 {
		database = os.Args[3]
	}
	done := map[string]any{}
	db := clickhouse.OpenDB(options(clickhouse.CompressionGZIP, "default"))
	defer db.Close()
	must(db.Ping(), "ping")

	for _, statement := range []string{
		"SELECT version()", "SHOW DATABASES", "SHOW TABLES", `SHOW TABLES FROM "system"`,
		"SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, syntax, " +
			"arguments, returned_value, examples, categories FROM system.functions LIMIT 10000",
		"SELECT database, name FROM system.tables ORDER BY database, name",
		"SELECT database, table, name, type, comment FROM system.columns " +
			"WHERE database = currentDatabase() ORDER BY database, table, position",
		"SELECT name, type, table FROM system.columns",
		"SELECT value FROM system.settings WHERE name='readonly'",
	} {
		if count(db, statement) == 0 {
			log.Fatalf("%s: no rows", statement)
		}
	}
	names := []string{}
	rows, err := db.Query("SHOW TABLES")
	must(err, "SHOW TABLES")
	for rows.Next() {
		var name string
		must(rows.Scan(&name), "SHOW TABLES")
		names = append(names, name)
	}
	rows.Close()
	read := 0
	for _, name := range names {
		count(db, fmt.Sprintf(`DESC TABLE "%s"."%s"`, database, name))
		read += count(db, fmt.Sprintf(`SELECT * FROM "%s"."%s" LIMIT 1000 SETTINGS max_execution_time=10`, database, name))
	}
	done["tables_and_views"], done["their_rows"] = len(names), read

	done["streamed"] = count(db, "SELECT number, toString(number), toLowCardinality('a') FROM numbers(500000)")
	if done["streamed"] != 500000 {
		log.Fatalf("streamed %v rows", done["streamed"])
	}
	var word string
	must(db.QueryRow("SELECT {w:String}", clickhouse.Named("w", "it's")).Scan(&word), "parameter")
	done["parameter"] = word

	for name, statement := range map[string]string{
		"unknown_table": "SELECT * FROM nothing_here",
		"refused":       "DROP TABLE nothing_here",
		"above_limit":   "SELECT 1 SETTINGS max_execution_time = 100000",
	} {
		_, err := db.Query(statement)
		done[name] = code(err)
	}
	rows, err = db.Query("SELECT throwIf(number = 300000, 'boom') FROM numbers(400000)")
	must(err, "an error inside the answer")
	for rows.Next() {
	}
	done["inside_the_answer"] = code(rows.Err())

	deadline, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err = db.QueryContext(deadline, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
	done["deadline"] = err != nil

	written := map[string]uint64{}
	for name, method := range map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "gzip": clickhouse.CompressionGZIP, "br": clickhouse.CompressionBrotli,
		"deflate": clickhouse.CompressionDeflate, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
	} {
		conn, err := clickhouse.Open(options(method, "writer"))
		must(err, name)
		ctx := context.Background()
		must(conn.Exec(ctx, "CREATE OR REPLACE TABLE go_rows (a UInt64, b LowCardinality(String), "+
			"c DateTime64(6, 'UTC'), d Array(Nullable(String)), e Map(String, UInt8)) ENGINE = MergeTree ORDER BY a"), name)
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO go_rows")
		must(err, name)
		for i := 0; i < 20000; i++ {
			text := fmt.Sprint(i)
			must(batch.Append(uint64(i), text, time.UnixMicro(int64(i)), []*string{nil, &text}, map[string]uint8{"k": 1}), name)
		}
		must(batch.Send(), name)
		var found uint64
		must(conn.QueryRow(ctx, "SELECT count() FROM go_rows WHERE toString(a) = b AND d = [NULL, b] "+
			"AND toUnixTimestamp64Micro(c) = a AND e['k'] = 1").Scan(&found), name)
		written[name] = found
		must(conn.Exec(ctx, "DROP TABLE go_rows"), name)
		must(conn.Close(), name)
	}
	done["written"] = written
	printed, err := json.Marshal(done)
	must(err, "JSON")
	fmt.Println(string(printed))
}
