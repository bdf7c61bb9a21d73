import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ALERT_CLASSES } from '@/core/model'
import { en } from './en'
import { zhCN } from './zh-CN'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(prefix + key, value)
    else for (const [inner, text] of flat(value, `${prefix}${key}.`)) found.set(inner, text)
  }
  return found
}

const chinese = flat(zhCN)
const english = flat(en)
const sources = readdirSync(join(__dirname, '..'), { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(vue|ts)$/.test(path) && !/\.test\.ts$|fakes\.ts$|^locales/.test(path))
  .map((path) => ({ path, text: readFileSync(join(__dirname, '..', path), 'utf8') }))

describe('both languages', () => {
  it('have the same keys', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  it('say something under each', () => {
    expect([...chinese, ...english].filter(([, text]) => !text.trim())).toEqual([])
  })

  it('take the same parameters', () => {
    const parameters = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()
    const differing = [...chinese].filter(([key, text]) =>
      // One form for one, one for many: each of them says the same.
      (english.get(key) ?? '').split(' | ').some((form) => String(parameters(text)) !== String(parameters(form))),
    )
    expect(differing).toEqual([])
  })

  it('keep to themselves', () => {
    expect([...english].filter(([, text]) => /[\u4e00-\u9fff]/.test(text))).toEqual([])
    expect([...chinese].filter(([, text]) => !/[\u4e00-\u9fff]/.test(text)).map(([key]) => key)).toEqual([])
  })

  it('use the words of the glossary', () => {
    expect([zhCN.page.wall, zhCN.page.sessions, zhCN.wall.patrol, zhCN.page.recordings]).toEqual([
      '视频墙',
      '场次',
      '轮巡',
      '录像回放',
    ])
    const avoided = /电视墙|考场次|预览画面|报警|告警/
    expect([...chinese].filter(([, text]) => avoided.test(text))).toEqual([])
  })
})

it('every class of alerts has its name', () => {
  expect(ALERT_CLASSES.filter((kind) => !chinese.has(`alert.class.${kind}`))).toEqual([])
})

describe('the code', () => {
  it('asks only for keys that are there', () => {
    const asked = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/\bt\('([\w.]+)'/g)].map((match) => ({ path, key: match[1] as string })),
    )
    expect(asked.length).toBeGreaterThan(150)
    expect(asked.filter(({ key }) => !chinese.has(key))).toEqual([])
  })

  it('holds no Chinese sentence', () => {
    const strings = sources
      .filter(({ path }) => path !== join('core', 'i18n.ts'))
      .flatMap(({ path, text }) =>
        text
          .replace(/\/\*[^]*?\*\/|\/\/.*$|<!--[^]*?-->/gm, '')
          .split('\n')
          .filter((line) => /[\u4e00-\u9fff]/.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      )
    expect(strings).toEqual([])
  })
})
