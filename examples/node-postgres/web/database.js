import { readFileSync } from 'node:fs'
import pg from 'pg'

// PGHOST, PGUSER and PGDATABASE are read by the client itself.
export const pool = new pg.Pool({
  password: readFileSync(process.env.PGPASSWORD_FILE, 'utf8').trim(),
  max: 8,
  connectionTimeoutMillis: 5_000
})

// A connection that the database ended is replaced by the next query.
pool.on('error', (error) => console.error(`lost a connection: ${error.message}`))
