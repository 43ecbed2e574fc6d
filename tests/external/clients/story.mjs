// What every JavaScript client goes through, and the answers that it gets.

/** `call` gives a method's result, `refused` the error code of a call that the portal refuses, `batch` results by name. */
export async function story({ call, refused, batch }, icon, logo) {
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
  const answers = await batch({
    icon: { method: 'crm.timeline.icon.get', params: { code: 'sdk+icon' } },
    logo: { method: 'crm.timeline.logo.get', params: { code: 'sdk+logo' } },
    log: { method: 'crm.timeline.logmessage.get', params: { id } }
  })
  told.batch = [answers.icon.icon.code, answers.logo.logo.code, answers.log.logMessage.text]
  told.deleted = [
    await call('crm.timeline.icon.delete', { code: 'sdk+icon' }),
    await call('crm.timeline.logo.delete', { code: 'sdk+logo' })
  ]
  told.gone = await refused('crm.timeline.icon.get', { code: 'sdk+icon' })
  return told
}
