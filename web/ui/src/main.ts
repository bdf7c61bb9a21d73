import { createPinia } from 'pinia'
import { createApp } from 'vue'
import 'element-plus/theme-chalk/dark/css-vars.css'
import 'element-plus/theme-chalk/el-message.css'
import App from './App.vue'
import { api } from './core/api'
import { i18n, remembered, speak } from './core/i18n'
import { router } from './router'
import { useLive } from './stores/live'
import { useSession } from './stores/session'
import './styles/ground.css'
import './styles/element.css'

speak(remembered())

const app = createApp(App).use(createPinia()).use(i18n).use(router)

api.onLoggedOut = () => {
  const session = useSession()
  if (!session.me) return
  session.forget()
  useLive().close()
  void router.push({ name: 'login', query: { next: router.currentRoute.value.fullPath, ended: '1' } })
}

app.mount('#app')
