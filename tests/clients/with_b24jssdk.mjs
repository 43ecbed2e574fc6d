// Drives the sandbox through the vendor's JavaScript SDK, over https.
import { B24Hook } from '@bitrix24/b24jssdk'

const [webhook, icon, logo] = process.argv.slice(2)
const portal = B24Hook.fromWebhookUrl(webhook)

async function call(method, params = {}) {
  const response = await portal.actions.v2.call.make({ method, params })
  if (!response.isSuccess) throw new Error(response.getErrorMessages().join('; '))
  return response.getData().result
}

/** The error code of a call that the portal refuses. */
async function refused(method, params) {
  try {
    const response = await portal.actions.v2.call.make({ method, params })
    return response.isSuccess ? null : [...response.getErrors()][0].code
  } catch (error) {
    return error.code
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
const batch = await portal.actions.v2.batch.make({
  calls: {
    icon: { method: 'crm.timeline.icon.get', params: { code: 'sdk+icon' } },
    logo: { method: 'crm.timeline.logo.get', params: { code: 'sdk+logo' } },
    log: { method: 'crm.timeline.logmessage.get', params: { id } }
  },
  options: { isHaltOnError: true }
})
const answers = batch.getData()
told.batch = [answers.icon.icon.code, answers.logo.logo.code, answers.log.logMessage.text]
told.deleted = [
  await call('crm.timeline.icon.delete', { code: 'sdk+icon' }),
  await call('crm.timeline.logo.delete', { code: 'sdk+logo' })
]
told.gone = await refused('crm.timeline.icon.get', { code: 'sdk+icon' })
console.log(JSON.stringify(told))
