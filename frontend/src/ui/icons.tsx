import type { ReactNode } from 'react'

// Every icon stands beside its text and says nothing by itself.
function Icon({ children, className = 'icon' }: { children: ReactNode; className?: string }): ReactNode {
  return (
    <svg className={className} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

export function CheckIcon(): ReactNode {
  return (
    <Icon>
      <path d="m5 12.5 4.5 4.5L19 7.5" />
    </Icon>
  )
}

export function CrossIcon(): ReactNode {
  return (
    <Icon>
      <path d="m7 7 10 10M17 7 7 17" />
    </Icon>
  )
}

export function ClockIcon(): ReactNode {
  return (
    <Icon>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M12 7.5V12l3 2" />
    </Icon>
  )
}

export function BackIcon(): ReactNode {
  return (
    <Icon>
      <path d="M10 6 4 12l6 6M4.5 12H20" />
    </Icon>
  )
}

export function LockIcon(): ReactNode {
  return (
    <Icon>
      <rect x="5" y="10.5" width="14" height="9.5" rx="2" />
      <path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" />
    </Icon>
  )
}

export function OfflineIcon(): ReactNode {
  return (
    <Icon>
      <path d="M4 4l16 16M8.5 13a5.5 5.5 0 0 1 5-1.4M5 9.5a10 10 0 0 1 3.5-2.2M13 6.6a10 10 0 0 1 6 2.9M12 17.5h.01" />
    </Icon>
  )
}

export function QuestionIcon(): ReactNode {
  return (
    <Icon>
      <path d="M9 9a3 3 0 1 1 4.2 2.8c-.8.4-1.2 1-1.2 1.9v.3M12 17.5h.01" />
    </Icon>
  )
}

export function ReturnIcon(): ReactNode {
  return (
    <Icon>
      <path d="M8 5 4 9l4 4M4.5 9H14a5 5 0 0 1 0 10h-4" />
    </Icon>
  )
}

export function PrintIcon(): ReactNode {
  return (
    <Icon>
      <path d="M7 9V4h10v5M7 17H4.5v-6A1.5 1.5 0 0 1 6 9.5h12a1.5 1.5 0 0 1 1.5 1.5v6H17" />
      <path d="M7 14.5h10V20H7z" />
    </Icon>
  )
}

export function BankIcon(): ReactNode {
  return (
    <Icon>
      <path d="M4 10 12 5l8 5zM6 10v7M10 10v7M14 10v7M18 10v7M4 19.5h16" />
    </Icon>
  )
}

export function DeviceIcon(): ReactNode {
  return (
    <Icon>
      <rect x="7.5" y="3.5" width="9" height="17" rx="2" />
      <path d="M11 17.5h2" />
    </Icon>
  )
}

export function CalendarIcon(): ReactNode {
  return (
    <Icon>
      <rect x="4" y="5.5" width="16" height="14" rx="2" />
      <path d="M4 10h16M8.5 3.5v4M15.5 3.5v4M12 12.5v4M10 14.5h4" />
    </Icon>
  )
}

export function ReceiptIcon(): ReactNode {
  return (
    <Icon>
      <path d="M6 4v16l2-1.4 2 1.4 2-1.4 2 1.4 2-1.4 2 1.4V4l-2 1.4L14 4l-2 1.4L10 4 8 5.4zM9.5 9.5h5M9.5 13h5" />
    </Icon>
  )
}

export function LinkIcon(): ReactNode {
  return (
    <Icon>
      <path d="M10 14a4 4 0 0 0 5.7 0l2.8-2.8a4 4 0 0 0-5.7-5.7L11.5 6.8M14 10a4 4 0 0 0-5.7 0l-2.8 2.8a4 4 0 0 0 5.7 5.7l1.3-1.3" />
    </Icon>
  )
}

export function Brand(): ReactNode {
  return (
    <svg className="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M3 22h26" />
      <path d="M5 22C8 11 24 11 27 22" />
      <path d="M10.5 22v-5.6M16 22v-8.2M21.5 22v-5.6" />
    </svg>
  )
}
