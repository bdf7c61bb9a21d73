import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { api, ApiError } from '@/core/api'
import { i18n, speak } from '@/core/i18n'
import { useSession } from '@/stores/session'
import LoginPage from './LoginPage.vue'

const ME = {
  user: 'zhang',
  name: '张三',
  roles: ['patrol' as const],
  csrf: 'c',
  site: { name: 'S', timezone: 'Asia/Shanghai' },
  now: '2026-11-22T01:00:00Z',
}

async function open(address = '/login') {
  const component = { template: '<i />' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/login', component }, { path: '/:rest(.*)*', component }],
  })
  await router.push(address)
  const page = mount(LoginPage, { global: { plugins: [createPinia(), i18n, router] }, attachTo: document.body })
  const enter = async (user: string, password: string) => {
    await page.get('[data-testid=user] input').setValue(user)
    await page.get('[data-testid=password] input').setValue(password)
    await page.get('form').trigger('submit')
    await flushPromises()
  }
  return { page, router, enter }
}

beforeEach(() => speak('zh-CN'))
afterEach(() => {
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

describe('logging in', () => {
  it('leads to the address that was asked for', async () => {
    vi.spyOn(api, 'logIn').mockResolvedValue()
    vi.spyOn(api, 'me').mockResolvedValue(ME)
    const { router, enter } = await open('/login?next=/wall%3Flayout%3D4')
    await enter(' zhang ', 'secret')
    expect(api.logIn).toHaveBeenCalledWith('zhang', 'secret')
    expect(router.currentRoute.value.fullPath).toBe('/wall?layout=4')
    expect(useSession().mayBeLoggedIn()).toBe(true)
    useSession().forget()
    expect(useSession().mayBeLoggedIn()).toBe(false)
  })

  it('says why one is here again', async () => {
    const { page, enter } = await open('/login?next=/holds&ended=1')
    expect(page.get('[data-testid=login-ended]').text()).toContain('在别处登录')
    vi.spyOn(api, 'logIn').mockRejectedValue(new ApiError('bad_credentials', 401))
    await enter('zhang', 'wrong')
    expect(page.find('[data-testid=login-ended]').exists()).toBe(false)
    expect((await open('/login')).page.find('[data-testid=login-ended]').exists()).toBe(false)
  })

  it('never leads to another site', async () => {
    vi.spyOn(api, 'logIn').mockResolvedValue()
    vi.spyOn(api, 'me').mockResolvedValue(ME)
    const { router, enter } = await open('/login?next=//evil.example/')
    await enter('zhang', 'secret')
    expect(router.currentRoute.value.fullPath).toBe('/')
  })

  it('says what is wrong, in the language of the page', async () => {
    vi.spyOn(api, 'logIn').mockRejectedValue(new ApiError('bad_credentials', 401))
    const { page, enter } = await open()
    await enter('zhang', 'wrong')
    expect(page.get('[data-testid=login-error]').text()).toBe('用户名或密码错误，请重新输入。')
    speak('en')
    await flushPromises()
    expect(page.get('[data-testid=login-error]').text()).toBe('The user name or the password is wrong.')
  })

  it('says how long a locked account waits', async () => {
    vi.spyOn(api, 'logIn').mockRejectedValue(new ApiError('locked', 429, '', 300))
    const { page, enter } = await open()
    await enter('zhang', 'wrong')
    expect(page.get('[data-testid=login-error]').text()).toContain('请等待 300 秒。')
  })

  it('asks the server nothing while something is missing', async () => {
    vi.spyOn(api, 'logIn')
    const { page, enter } = await open()
    await enter('', '')
    expect(api.logIn).not.toHaveBeenCalled()
    expect(page.get('#user-hint').text()).toBe('请输入用户名')
    expect(page.get('#password-hint').text()).toBe('请输入密码')
  })

  it('warns of Caps Lock, and says that looks are recorded', async () => {
    const { page } = await open()
    const event = new KeyboardEvent('keydown', { key: 'A', modifierCapsLock: true, bubbles: true })
    page.get('[data-testid=password] input').element.dispatchEvent(event)
    await flushPromises()
    expect(page.get('#password-hint').text()).toContain('大写锁定已开启')
    expect(page.text()).toContain('本系统的每次调看均被记录。')
  })
})
