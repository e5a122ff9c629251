const assert = require('node:assert')
const { test } = require('node:test')

const url = process.env.WEB_URL
const post = (task) => fetch(`${url}/tasks`, { method: 'POST', body: JSON.stringify(task) })

test('a new task is listed', async () => {
  const answer = await post({ title: 'write a test' })
  assert.strictEqual(answer.status, 201)
  const task = await answer.json()
  assert.deepStrictEqual(task, { id: task.id, title: 'write a test', done: false })
  const tasks = await (await fetch(`${url}/tasks`)).json()
  assert.deepStrictEqual(tasks.find((other) => other.id === task.id), task)
})

test('a task without a title is refused', async () => {
  for (const task of [{}, { title: '' }, { title: 7 }]) {
    assert.strictEqual((await post(task)).status, 422)
  }
})
