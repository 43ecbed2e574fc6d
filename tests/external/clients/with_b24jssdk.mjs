// Drives the sandbox through the vendor's JavaScript SDK, over https.
import { B24Hook } from '@bitrix24/b24jssdk'
import { story } from './story.mjs'

const [webhook, icon, logo] = process.argv.slice(2)
const portal = B24Hook.fromWebhookUrl(webhook)

async function call(method, params = {}) {
  const response = await portal.actions.v2.call.make({ method, params })
  if (!response.isSuccess) throw new Error(response.getErrorMessages().join('; '))
  return response.getData().result
}

async function refused(method, params) {
  try {
    const response = await portal.actions.v2.call.make({ method, params })
    return response.isSuccess ? null : [...response.getErrors()][0].code
  } catch (error) {
    return error.code
  }
}

const batch = async (calls) =>
  (await portal.actions.v2.batch.make({ calls, options: { isHaltOnError: true } })).getData()

console.log(JSON.stringify(await story({ call, refused, batch }, icon, logo)))
