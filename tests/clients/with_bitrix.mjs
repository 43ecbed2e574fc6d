// Drives the sandbox through @2bad/bitrix, over plain http. It sends everything as GET with the parameters in the query.
import { createRequire } from 'node:module'

const { Bitrix } = createRequire(import.meta.url)('@2bad/bitrix')
const [webhook, icon, logo] = process.argv.slice(2)
const portal = Bitrix(webhook, undefined, { retry: 0 })

const call = async (method, params = {}) => (await portal.call(method, params)).result

/** The error code of a call that the portal refuses. */
async function refused(method, params) {
  try {
    await call(method, params)
    return null
  } catch (error) {
    return error.response.body.error
  }
}

const told = {
  system: [
    (await call('crm.timeline.icon.list')).icons.length,
    (await call('crm.timeline.logo.list')).logos.length
  ]
}
told.added = [
  (await call('crm.timeline.icon.add', { code: 'sdk+icon', fileContent: icon })).icon.isSystem,
  (await call('crm.timeline.logo.add', { code: 'sdk+logo', fileContent: logo })).logo.isSystem
]
told.duplicate = await refused('crm.timeline.icon.add', { code: 'sdk+icon', fileContent: icon })
told.got = [
  (await call('crm.timeline.icon.get', { code: 'sdk+icon' })).icon.code,
  (await call('crm.timeline.logo.get', { code: 'sdk+logo' })).logo.code
]
const fields = { entityTypeId: 2, entityId: 12, title: 'Title & co', text: 'Ünï=code', iconCode: 'sdk+icon' }
const { id } = (await call('crm.timeline.logmessage.add', { fields })).logMessage
told.log = (await call('crm.timeline.logmessage.get', { id })).logMessage.title
told.entries = (await call('crm.timeline.logmessage.list', { entityTypeId: 2, entityId: 12 })).logMessages.length
told.undeletable = await refused('crm.timeline.logmessage.delete', { id })
const answers = (await portal.batch({
  icon: { method: 'crm.timeline.icon.get', params: { code: 'sdk+icon' } },
  logo: { method: 'crm.timeline.logo.get', params: { code: 'sdk+logo' } },
  log: { method: 'crm.timeline.logmessage.get', params: { id } }
})).result.result
told.batch = [answers.icon.icon.code, answers.logo.logo.code, answers.log.logMessage.text]
told.deleted = [
  await call('crm.timeline.icon.delete', { code: 'sdk+icon' }),
  await call('crm.timeline.logo.delete', { code: 'sdk+logo' })
]
told.gone = await refused('crm.timeline.icon.get', { code: 'sdk+icon' })
console.log(JSON.stringify(told))
