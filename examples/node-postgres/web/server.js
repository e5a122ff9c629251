import { createServer } from 'node:http'
import { pool } from './database.js'

const LIMIT = 10_000

async function body (request) {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > LIMIT) throw Object.assign(new Error('the body is too long'), { status: 413 })
  }
  try {
    return JSON.parse(text)
  } catch {
    throw Object.assign(new Error('the body is not JSON'), { status: 400 })
  }
}

const routes = {
  'GET /health': async () => {
    await pool.query('SELECT 1')
    return [200, { status: 'ok' }]
  },
  'GET /tasks': async () => {
    const { rows } = await pool.query('SELECT id::int, title, done FROM tasks ORDER BY id')
    return [200, rows]
  },
  'POST /tasks': async (request) => {
    const { title } = await body(request)
    if (typeof title !== 'string' || title.trim() === '') return [422, { error: 'a task has a title' }]
    const { rows } = await pool.query('INSERT INTO tasks (title) VALUES ($1) RETURNING id::int, title, done', [title.trim()])
    return [201, rows[0]]
  }
}

const server = createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url}`] ?? (() => [404, { error: 'not found' }])
  let status, answer
  try {
    [status, answer] = await route(request)
  } catch (error) {
    [status, answer] = [error.status ?? 500, { error: error.message }]
    if (status === 500) console.error(error)
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
})

server.listen(8080, () => console.log('listening on 8080'))
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => pool.end()))
}
