import { createApp } from 'vue'
import { i18n, remembered, speak } from '@/core/i18n'
import '@/styles/ground.css'
import PhoneApp from './PhoneApp.vue'
import './phone.css'
import { register } from './worker'

speak(remembered())
createApp(PhoneApp).use(i18n).mount('#app')
void register()
