import { pool } from './database.js'

const migrations = [
  'CREATE TABLE tasks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL)',
  'ALTER TABLE tasks ADD COLUMN done boolean NOT NULL DEFAULT false'
]

const client = await pool.connect()
try {
  await client.query('CREATE TABLE IF NOT EXISTS migrations (number int PRIMARY KEY)')
  const { rows } = await client.query('SELECT coalesce(max(number), 0) AS last FROM migrations')
  for (let number = rows[0].last + 1; number <= migrations.length; number += 1) {
    await client.query('BEGIN')
    await client.query(migrations[number - 1])
    await client.query('INSERT INTO migrations VALUES ($1)', [number])
    await client.query('COMMIT')
    console.log(`migration ${number} of ${migrations.length} done`)
  }
} finally {
  client.release()
  await pool.end()
}
