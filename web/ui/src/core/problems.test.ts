import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { zhCN } from '@/locales/zh-CN'
import { ApiError } from './api'
import { i18n } from './i18n'
import { causeText, detailOf, holeText, messageOf, reasonText, resultText } from './problems'

const words = { t: i18n.global.t as never, te: (key: string) => i18n.global.te(key) }

describe('a failure', () => {
  it('is told by its code in the language of the page', () => {
    const error = new ApiError('outside_window', 403)
    i18n.global.locale.value = 'zh-CN'
    expect(messageOf(error, words)).toBe('该考场现在没有考试，不能调看。')
    i18n.global.locale.value = 'en'
    expect(messageOf(error, words)).toBe('No examination is under way in this room, so it cannot be viewed.')
  })

  it('says how long to wait', () => {
    i18n.global.locale.value = 'en'
    expect(messageOf(new ApiError('locked', 429, '', 300), words)).toContain('Wait 300 s.')
  })

  it('falls back to the kind of its status', () => {
    i18n.global.locale.value = 'en'
    expect(messageOf(new ApiError('http_502', 502), words)).toContain('server failed')
    expect(messageOf(new ApiError('new_code', 409), words)).toContain('not valid')
  })

  it('carries its reason in both languages', () => {
    const detail = '第 2 行的引号或分隔符有误：a / b / row 2 has a broken quote or separator'
    const error = new ApiError('unreadable_file', 422, '文件是空的 / the file is empty')
    expect([detailOf(error, 'zh-CN'), detailOf(error, 'en')]).toEqual(['文件是空的', 'the file is empty'])
    expect(detailOf(new ApiError('x', 422, detail), 'zh-CN')).toContain('第 2 行')
    expect(detailOf(new ApiError('bad_request', 400, 'user: expected str'), 'zh-CN')).toBe('')
    expect(detailOf(new TypeError('x'), 'en')).toBe('')
  })

  it('of this page itself is told too', () => {
    expect(messageOf(new TypeError('x'), words)).toContain('went wrong')
  })
})

describe('words of the server', () => {
  it('are told in the language of the page', () => {
    i18n.global.locale.value = 'zh-CN'
    expect(causeText('box_offline', words)).toBe('边缘盒离线')
    expect(resultText('bad_credentials', words)).toBe('密码错误')
    expect(reasonText('ended by the viewer', words)).toBe('调看人结束')
    expect(reasonText("refused at the box (2026-11-22T08:00:00Z by the box's clock)", words)).toBe(
      '被设备拒绝（设备时钟 2026-11-22T08:00:00Z）',
    )
    expect(reasonText('exam_office, patrol', words)).toBe('考试中心 / 巡考')
    expect(holeText({ start: 0, end: 12_000, cause: 'started_late' }, words)).toBe('缺失 00:12 · 开始录像过晚')
    expect(holeText({ start: 0, end: 12_000, cause: '' }, words)).toBe('缺失 00:12')
  })

  it('are left as they are when nobody knows them, and so is what people wrote', () => {
    expect(['new_cause', ''].map((cause) => causeText(cause, words))).toEqual(['new_cause', ''])
    expect(resultText('new_code', words)).toBe('new_code')
    expect(reasonText('核查 09:42 考场秩序', words)).toBe('核查 09:42 考场秩序')
  })
})

it('every cause of a gap has its words', () => {
  const source = readFileSync(join(__dirname, '../../../..', 'contract/messages.py'), 'utf8')
  const causes = [...(source.match(/^GapCause[^]*?^]/m)?.[0] ?? '').matchAll(/"(\w+)"/g)].map((match) => match[1] as string)
  expect(causes.length).toBeGreaterThan(8)
  expect(causes.filter((cause) => !(cause in zhCN.cause))).toEqual([])
})

/** The quoted names that stand at the beginning of a line in a block of a Python file. */
function namesIn(file: string, block: RegExp): string[] {
  const source = readFileSync(join(__dirname, '../../../..', file), 'utf8')
  return [...(source.match(block)?.[0] ?? '').matchAll(/^ {4}"(\w+)":/gm)].map((match) => match[1] as string)
}

it('every code of the server has its sentence', () => {
  const codes = namesIn('web/problems.py', /^CODES[^]*?^}/m)
  expect(codes.length).toBeGreaterThan(20)
  expect(codes.filter((code) => !(code in zhCN.problem))).toEqual([])
})

it('every column of a timetable has its name', () => {
  const fields = namesIn('orchestrator/timetable/columns.py', /^_SYNONYMS[^]*?^}/m)
  expect(fields.length).toBeGreaterThan(15)
  expect(fields.filter((field) => !(field in zhCN.timetable.field))).toEqual([])
})
