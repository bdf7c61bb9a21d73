// @vitest-environment jsdom
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { describe, expect, it } from 'vitest'
import { i18n } from '@/core/i18n'
import type { Hold } from '@/core/model'
import HoldCard from './HoldCard.vue'
