import type { ReactNode } from 'react'
import { LANGUAGES } from '../language/language.ts'
import { useLanguage } from '../language/language-context.tsx'
import { paths } from '../paths.ts'
import { Announcer } from './announcer.tsx'
import { Brand } from './icons.tsx'
import type { Language } from '../language/language.ts'

const LANGUAGE_NAME: Record<Language, string> = { fr: 'Français', en: 'English' }

/** How the surrounding application follows a link within the site. */
export type SiteLink = (props: {
  to: string
  className: string
  label?: string
  children: ReactNode
}) => ReactNode

/** The frame of every page. */
export function Layout({
  link: SiteLink = PlainLink,
  children,
}: {
  link?: SiteLink
  children: ReactNode
}): ReactNode {
  const { messages } = useLanguage()
  return (
    <Announcer>
      <a className="skip-link" href="#content">
        {messages.site.skip}
      </a>
      <header className="site-header">
        <SiteLink to={paths.tours()} className="brand" label={messages.site.home}>
          <Brand />
          <span>{messages.site.name}</span>
        </SiteLink>
        <SiteLink to={paths.bookings()} className="site-link">
          {messages.site.mine}
        </SiteLink>
        <LanguageSwitch />
      </header>
      <main id="content">{children}</main>
      <footer className="site-footer">
        <p>{messages.site.footer}</p>
      </footer>
    </Announcer>
  )
}

function PlainLink({ to, className, label, children }: Parameters<SiteLink>[0]): ReactNode {
  return (
    <a className={className} href={to} aria-label={label}>
      {children}
    </a>
  )
}

function LanguageSwitch(): ReactNode {
  const { language, choose } = useLanguage()
  return LANGUAGES.filter((other) => other !== language).map((other) => (
    <button key={other} className="language-switch" type="button" lang={other} onClick={() => choose(other)}>
      {LANGUAGE_NAME[other]}
    </button>
  ))
}
