// Drives the sandbox through @2bad/bitrix, over plain http. It sends everything as GET with the parameters in the query.
import { createRequire } from 'node:module'
import { story } from './story.mjs'

const { Bitrix } = createRequire(import.meta.url)('@2bad/bitrix')
const [webhook, icon, logo] = process.argv.slice(2)
const portal = Bitrix(webhook, undefined, { retry: 0 })

const call = async (method, params = {}) => (await portal.call(method, params)).result

async function refused(method, params) {
  try {
    await call(method, params)
    return null
  } catch (error) {
    return error.response.body.error
  }
}

const batch = async (commands) => (await portal.batch(commands)).result.result

console.log(JSON.stringify(await story({ call, refused, batch }, icon, logo)))
